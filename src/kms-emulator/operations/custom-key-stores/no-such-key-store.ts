/** There are no custom key stores: they need a CloudHSM cluster, or a key manager of another vendor. */
import { AwsException } from "../../exceptions.ts";

/** Text [I]. */
export const noSuchKeyStore = (id: string): AwsException =>
  new AwsException("CustomKeyStoreNotFoundException", `Custom key store ${id} does not exist.`);
