/** ImportKeyMaterial: a user's own key becomes the key's material. */
import { storeMaterial } from "../../crypto/key-material.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, type Mutation } from "../../state/records.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { importInto } from "./import-into.ts";
import { readExpiration, readWrappedMaterial, requireOptionsForSpec } from "./import-request.ts";
import { requireImportable } from "./import-rules.ts";

export const importKeyMaterial = kmsOperation({
  name: "ImportKeyMaterial",
  run(context, input) {
    const { ExpirationModel = "KEY_MATERIAL_EXPIRES", ValidTo } = input;
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:ImportKeyMaterial",
      conditions: { "kms:ExpirationModel": ExpirationModel, "kms:ValidTo": ValidTo?.toISOString() },
    });
    requireImportable(key);
    requireState("ImportKeyMaterial", key);
    requireOptionsForSpec(key, input);
    const validToMs = readExpiration(context, ExpirationModel, ValidTo);
    const material = readWrappedMaterial(context, key, input);
    const mutations: Mutation[] = importInto(context, key, material.id, {
      importType: input.ImportType,
      wantedId: input.KeyMaterialId,
      description: input.KeyMaterialDescription,
      validToMs,
    });
    context.commit({ kind: "put-material", material: storeMaterial(material) }, ...mutations);
    return { KeyId: arnOf(key), ...(key.spec === "SYMMETRIC_DEFAULT" ? { KeyMaterialId: material.id } : {}) };
  },
});
