import type { CredentialStore } from "./credential_store.ts";
import { SecretServiceStore } from "./secret_service.ts";
import { readVariable } from "./session_bus.ts";

/**
 * The Secret Service; where libsecret, and so `cargo:libsecret`, keeps secrets
 * in a file of its own, that file.
 */
export async function openLibsecret(): Promise<CredentialStore> {
  const isNamed = readVariable("SECRET_BACKEND") === "file";
  // Either is set in every sandbox that it stands for, and elsewhere too.
  const mayBeSandbox = readVariable("FLATPAK_ID") !== undefined ||
    readVariable("SNAP") !== undefined;
  if (isNamed || mayBeSandbox) {
    const { findSandbox } = await import("../base/sandbox.ts");
    const { LibsecretFileStore } = await import("./libsecret_file.ts");
    if (isNamed) return new LibsecretFileStore();
    if (await findSandbox(readVariable) !== undefined) {
      return new LibsecretFileStore(new SecretServiceStore());
    }
  }
  return new SecretServiceStore();
}
