/** What a user of each library does with it: one script, run wherever the library was installed. */
export const scripts: Readonly<Record<string, string>> = {
  "spire-plugin-sdk": `
    import { KeyManager, serveInBackground, service } from "spire-plugin-sdk";
    import { serve, startPlugin } from "spire-plugin-sdk/go-plugin";
    import { decodeHcl } from "spire-plugin-sdk/hcl";
    const plugin = await serveInBackground({
      services: [service(KeyManager, { getPublicKey: ({ keyId }) => ({ publicKey: { id: keyId } }) })],
      config: { configure: () => {}, validate: () => ({ valid: true, notes: [] }) },
    });
    const { publicKey } = await plugin.client(KeyManager).getPublicKey({ keyId: "a" });
    await plugin.stop();
    console.log(publicKey.id, typeof serve, typeof startPlugin, decodeHcl('b = "c"').b);`,
  "aws-kms-emulator": `
    import { startEmulator } from "aws-kms-emulator";
    const kms = await startEmulator();
    const { KeyMetadata } = await kms.control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await kms.close();
    console.log(KeyMetadata.KeyState);`,
};

export const outputs: Readonly<Record<string, string>> = {
  "spire-plugin-sdk": "a function function c\n",
  "aws-kms-emulator": "Enabled\n",
};
