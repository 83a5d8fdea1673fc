/**
 * The program's settings: where they come from, and which of them holds.
 *
 * @module
 */

export type { StoreName } from "../stores/credential_store.ts";
export * from "./load_settings.ts";
export * from "./merge_settings.ts";
export * from "./parse_settings.ts";
export * from "./settings.ts";
