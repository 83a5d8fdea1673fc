// What reads cargo's configuration, in one import: an ordinary `get` does
// without.

export { loadConfig, valueAt } from "./config.ts";
export { cargoTokenPlace, providerChain, reachesUs } from "./provider_chain.ts";
export { findRebinding } from "./rebinding.ts";
export { registryIndex, registryNames, userNames } from "./registry_index.ts";
