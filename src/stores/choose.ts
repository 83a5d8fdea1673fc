import type { CredentialStore } from "./credential_store.ts";
import type { StoreSetting } from "../settings/settings.ts";

/** Opens the store of a setting (interim: Linux only). */
export async function openStore(
  setting: StoreSetting,
): Promise<CredentialStore> {
  if (setting === "keyutils") {
    const { Keyutils } = await import("./keyutils.ts");
    return new Keyutils();
  }
  const { SecretServiceStore } = await import("./secret_service.ts");
  return new SecretServiceStore();
}
