/**
 * The index URL of crates.io in every request, whatever protocol its index is
 * read with (cargo: `src/cargo/sources/registry/mod.rs`, `CRATES_IO_INDEX`).
 */
export const CRATES_IO_INDEX = "https://github.com/rust-lang/crates.io-index";

/** The name of crates.io in requests and in `--registry`. */
export const CRATES_IO_NAME = "crates-io";

/** A registry, as requests, commands and stores name it. */
export interface RegistryRef {
  /** The index URL, byte for byte: all that items are found by. */
  readonly indexUrl: string;
  /** The name, where it is known; stores show it to people. */
  readonly name?: string;
}

/**
 * The part of an environment variable's name that stands for a registry: cargo
 * writes `my-reg`, `my_reg` and `my.reg` alike, as `MY_REG` (cargo:
 * `src/cargo/util/context/key.rs`, `ConfigKey::push`; it splits a name at its
 * dots).
 */
export function environmentName(name: string): string {
  return name.replaceAll(/[-.]/g, "_").toUpperCase();
}
