/** Runs a command on a terminal, as a person does: Python's pty, where there is Python. */
import { spawn, spawnSync } from "node:child_process";

/** Keys are what is typed once `when` has been seen; `\u0003` is Ctrl-C. */
export interface Typed {
  readonly when: string;
  readonly keys: string;
}

const script = `
import os, pty, sys
when, keys, command = sys.argv[1].encode(), sys.argv[2].encode().decode("unicode_escape").encode(), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
import fcntl, struct, termios
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
seen, typed = b"", not keys
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    seen += data
    if not typed and when in seen:
        typed = True
        os.write(fd, keys)
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
`;

export const hasTerminals = process.platform !== "win32" && spawnSync("python3", ["-c", "import pty"]).status === 0;

/** What the terminal has shown, and the exit code. */
export async function onTerminal(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  typed: Typed = { when: "", keys: "" },
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const keys = typed.keys.replaceAll("\u0003", "\\x03");
  const child = spawn("python3", ["-c", script, typed.when, keys, ...command], {
    env: { TERM: "xterm-256color", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (data: Buffer) => {
    shown += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, shown };
}
