import type { Rebinding } from "../cargo/rebinding.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  type RegistryRef,
} from "../cargo/registries.ts";

/** How a registry is spoken of to people. */
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

/** Words for a registry. */
export function describeRegistry(
  registry: RegistryRef,
  storeTitle: string,
  filePath: string,
): RegistryAbout {
  const isCratesIo = registry.indexUrl === CRATES_IO_INDEX;
  const name = isCratesIo ? CRATES_IO_NAME : registry.name;
  const option = name === undefined ? "" : ` --registry ${name}`;
  const known = `\`${name ?? registry.indexUrl}\``;
  return {
    title: isCratesIo ? "crates.io" : known,
    loginCommand: isCratesIo ? "cargo login" : `cargo login${option}`,
    migrateCommand: `cargo-credential-keyring migrate${option}`,
    restoreCommand: `cargo-credential-keyring restore${option}`,
    revokeAt: isCratesIo ? "<https://crates.io/me>" : `the website of ${known}`,
    storeTitle,
    filePath,
  };
}

/** Words for a name that a project has taken: a clause without a final stop. */
export function describeRebinding(
  { name: taken, userUrl, projectUrl, where }: Rebinding,
): string {
  const name = taken === undefined ? "a registry" : `the registry \`${taken}\``;
  return userUrl === undefined
    ? `${where} cannot be read, so that nobody can tell whether it is your ` +
      `own configuration that binds ${name} to ${projectUrl}`
    : `${where} binds ${name} to ${projectUrl}, where your own ` +
      `configuration has ${userUrl}`;
}
