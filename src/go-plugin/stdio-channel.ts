/** Which of its two streams a plugin's code printed to, in the words that plugin and host use for plugin.GRPCStdio. */
export type StdioChannel = "stdout" | "stderr";
