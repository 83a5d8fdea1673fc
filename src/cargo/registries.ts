/**
 * The index URL of crates.io in every request, whatever protocol its index is
 * read with (cargo: `src/cargo/sources/registry/mod.rs`, `CRATES_IO_INDEX`).
 */
export const CRATES_IO_INDEX = "https://github.com/rust-lang/crates.io-index";

/** The name of crates.io in requests and in `--registry`. */
export const CRATES_IO_NAME = "crates-io";

/** A registry, as a request names it. */
export interface RegistryRequest {
  /** The index URL, byte for byte. */
  readonly indexUrl: string;
  /** The name; without one the registry was given by its URL alone. */
  readonly name?: string;
}

/**
 * The part of an environment variable's name that stands for a registry: cargo
 * writes `my-reg`, `my_reg` and `my.reg` alike, as `MY_REG` (cargo:
 * `src/cargo/util/context/key.rs`, `ConfigKey::push`; it splits a name at its
 * dots).
 *
 * @param name The registry's name.
 * @returns The name as a variable spells it.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(environmentName("my-reg"), "MY_REG");
 * ```
 */
export function environmentName(name: string): string {
  return name.replaceAll(/[-.]/g, "_").toUpperCase();
}
