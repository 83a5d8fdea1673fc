import type { ConfigLayers } from "../cargo/config.ts";
import { reachesUs } from "../cargo/provider_chain.ts";
import { CRATES_IO_INDEX, type RegistryRef } from "../cargo/registries.ts";
import { registryNames, userIndexes } from "../cargo/registry_index.ts";
import { sameRegistry } from "../cargo/spellings.ts";
import { checkToken } from "../cargo/token.ts";
import type { Secret } from "../base/secret.ts";
import type { CredentialStore } from "../stores/credential_store.ts";
import {
  type Binding,
  durabilityOf,
  type Eligibility,
  eligibility,
  type Occasion,
} from "./eligibility.ts";
import type { Surroundings } from "./surroundings.ts";

/** What {@linkcode checkEligibility} looks at. */
export interface EligibilitySources {
  readonly occasion: Occasion;
  readonly token: Secret;
  readonly registry: RegistryRef;
  /** Where the token would go, or is. */
  readonly store: CredentialStore;
  readonly layers: ConfigLayers;
  readonly cwd: string;
  readonly surroundings: Surroundings;
  readonly signal: AbortSignal;
}

/**
 * Gathers what decides whether a token may leave the file, and decides it. The
 * store is asked without a dialog.
 */
export async function checkEligibility(
  sources: EligibilitySources,
): Promise<Eligibility> {
  const { store, signal, token, occasion, surroundings, layers } = sources;
  const prepared = await store.prepare({ signal });
  return eligibility({
    ...surroundings,
    occasion,
    binding: bindingOf(sources),
    asked: reachesUs(layers, sources.registry),
    isToken: checkToken(token) === "valid",
    store: {
      name: store.name,
      title: store.title,
      keeps: prepared.kind === "ready" ? durabilityOf(prepared) : prepared,
    },
  });
}

/** Who binds the name of a registry to its URL; of several names, the best. */
function bindingOf(
  { registry: { indexUrl, name }, layers, cwd }: EligibilitySources,
): Binding {
  if (indexUrl === CRATES_IO_INDEX) return { kind: "crates-io" };
  const names = name === undefined ? registryNames(layers, indexUrl) : [name];
  const own = names.flatMap((known) => userIndexes(layers, cwd, known));
  const other = own.find(({ url }) => !sameRegistry(url, indexUrl));
  if (other !== undefined) return { kind: "otherwise", ...other };
  const ours = own.filter(({ url }) => url === indexUrl);
  const [strongest] = ours;
  if (strongest === undefined) return { kind: "project" };
  const { where } = strongest;
  const inFile = ours.some(({ where }) => !(where in layers.environment));
  return inFile ? { kind: "user" } : { kind: "variable", where };
}
