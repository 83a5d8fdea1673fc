import type { Rebinding } from "../cargo/rebinding.ts";
import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import type { RegistryRef } from "../cargo/registries.ts";

/** How a registry is spoken of to people. Every field is fit for a terminal. */
export interface RegistryAbout {
  /** `crates.io`, `` `my-registry` ``, or the index URL in backticks. */
  readonly title: string;
  /** The command that logs in there. */
  readonly loginCommand: string;
  /** The command that moves its token by hand. */
  readonly migrateCommand: string;
  /** The command that puts its token back into the file. */
  readonly restoreCommand: string;
  /** Where a token can be revoked. */
  readonly revokeAt: string;
  /** The store's name in a sentence. */
  readonly storeTitle: string;
  /** The credentials file. */
  readonly filePath: string;
}

/**
 * Words for a registry. Its name and URL come from configuration files and
 * from requests, so control characters are taken out.
 */
export function describeRegistry(
  registry: RegistryRef,
  storeTitle: string,
  filePath: string,
): RegistryAbout {
  const isCratesIo = registry.indexUrl === CRATES_IO_INDEX;
  const name = isCratesIo ? "crates-io" : registry.name;
  const option = name === undefined ? "" : ` --registry ${name}`;
  return {
    title: isCratesIo ? "crates.io" : `\`${name ?? registry.indexUrl}\``,
    loginCommand: isCratesIo ? "cargo login" : `cargo login${option}`,
    migrateCommand: `cargo-credential-keyring migrate${option}`,
    restoreCommand: `cargo-credential-keyring restore${option}`,
    revokeAt: isCratesIo
      ? "<https://crates.io/me>"
      : `the website of \`${name ?? registry.indexUrl}\``,
    storeTitle,
    filePath: filePath,
  };
}

/** Words for a name that a project has taken: a clause without a final stop. */
export function describeRebinding(rebinding: Rebinding): string {
  const where = rebinding.where;
  const projectUrl = rebinding.projectUrl;
  const name = rebinding.name === undefined
    ? "a registry"
    : `the registry \`${rebinding.name}\``;
  return rebinding.userUrl === undefined
    ? `${where} cannot be read, so that nobody can tell whether it is your ` +
      `own configuration that binds ${name} to ${projectUrl}`
    : `${where} binds ${name} to ${projectUrl}, where your own ` +
      `configuration has ${rebinding.userUrl}`;
}
