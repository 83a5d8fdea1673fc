import type { ConfigLayers } from "../cargo/config.ts";
import { CRATES_IO_INDEX, type RegistryRequest } from "../cargo/registries.ts";
import { isBoundByUser, registryNames } from "../cargo/registry_index.ts";
import { checkToken } from "../cargo/token.ts";
import type { Secret } from "../base/secret.ts";
import type {
  CredentialStore,
  PrepareOutcome,
} from "../stores/credential_store.ts";
import {
  type Eligibility,
  eligibility,
  type EligibilityFacts,
  type Occasion,
} from "./eligibility.ts";
import type { Surroundings } from "./surroundings.ts";

/** What {@linkcode checkEligibility} looks at. */
export interface EligibilitySources {
  /** Why the token is to leave the file. */
  readonly occasion: Occasion;
  /** The token. */
  readonly token: Secret;
  /** The registry. */
  readonly registry: RegistryRequest;
  /** Where the token would go, or is. */
  readonly store: CredentialStore;
  /** The configuration. */
  readonly layers: ConfigLayers;
  /** The current directory. */
  readonly cwd: string;
  /** What surrounds the file. */
  readonly surroundings: Surroundings;
  /** Whether the user allows the name's binding by a project. */
  readonly bindingAllowed: boolean;
  /** The deadline. */
  readonly signal: AbortSignal;
}

/**
 * Gathers what decides whether a token may leave the file, and decides it. The
 * store is asked without a dialog.
 *
 * @param sources Where to look.
 * @returns The verdict.
 */
export async function checkEligibility(
  sources: EligibilitySources,
): Promise<Eligibility> {
  const { store, signal, token, occasion, surroundings } = sources;
  const prepared = await store.prepare({ signal });
  return eligibility({
    ...surroundings,
    occasion,
    binding: bindingOf(sources),
    isToken: checkToken(token) === "valid",
    store: {
      name: store.name,
      title: store.title,
      ...placeOf(prepared),
    },
  });
}

/** What a token would find there. */
function placeOf(
  prepared: PrepareOutcome,
): Pick<EligibilityFacts["store"], "keeps" | "failure"> {
  if (prepared.kind === "ready") {
    return { keeps: prepared.durable ? "durably" : "for-the-session" };
  }
  return prepared.cause === "no-default-collection"
    ? { keeps: "without-default-collection" }
    : { keeps: "durably", failure: prepared };
}

function bindingOf(
  { registry, layers, cwd, bindingAllowed }: EligibilitySources,
): EligibilityFacts["binding"] {
  const { indexUrl, name } = registry;
  if (indexUrl === CRATES_IO_INDEX) return "crates-io";
  const names = name === undefined ? registryNames(layers, indexUrl) : [name];
  return bindingAllowed ||
      names.some((own) => isBoundByUser(layers, cwd, own, indexUrl))
    ? "user"
    : "project";
}
