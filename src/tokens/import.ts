import { storeToken } from "./store_token.ts";
import type { PlaintextOutcome } from "../credentials/file.ts";
import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  GetOutcome,
  StoreFailure,
  StoreOptions,
} from "../stores/credential_store.ts";

/** What is known of a registry whose token is to be imported. */
export interface ImportFacts {
  readonly imported: Secret;
  readonly store: GetOutcome;
  readonly plaintext: PlaintextOutcome;
  /** Whether the file's token is known to be out of use. */
  readonly superseded: boolean;
}

/** What an import has to do for one registry. */
export type ImportStep =
  | { readonly do: "store" }
  | { readonly do: "nothing" }
  | {
    readonly do: "choose";
    /** Where another token is. */
    readonly holds: "store" | "file" | "both";
  }
  | { readonly do: "fail"; readonly failure: StoreFailure }
  | {
    readonly do: "fail-file";
    readonly plaintext: Extract<PlaintextOutcome, { kind: "unusable" }>;
  };

/**
 * Decides what an import does: it stores what is nowhere yet, and wherever
 * another token is, the user has to say which one lives. An item that holds no
 * token at all counts as another one: something was written there.
 */
export function planImport(facts: ImportFacts): ImportStep {
  const { imported, store, plaintext, superseded } = facts;
  if (store.kind !== "found" && store.kind !== "absent") {
    return { do: "fail", failure: store };
  }
  if (plaintext.kind === "unusable") return { do: "fail-file", plaintext };
  const inStore = store.kind === "found" && !store.token.equals(imported);
  const inFile = plaintext.kind === "found" && !superseded &&
    !plaintext.token.equals(imported);
  if (inStore || inFile) {
    const holds = inStore ? inFile ? "both" : "store" : "file";
    return { do: "choose", holds };
  }
  return { do: store.kind === "found" ? "nothing" : "store" };
}

/** What came of storing an imported token. */
export type ImportOutcome =
  | {
    readonly kind: "stored";
    /** As `prepare` says of the place that it was written to. */
    readonly durable: boolean;
    readonly plaintext: boolean;
  }
  /** The store answers differently by now; nothing was written. */
  | { readonly kind: "changed" }
  | { readonly kind: "failed"; readonly failure: StoreFailure };

/**
 * Stores an imported token and reads it back. The store is asked once more
 * before: only what the user has seen is written over.
 *
 * `over`: what the store held when the user was asked; `undefined`: it held
 * nothing.
 */
export async function importToken(
  store: CredentialStore,
  key: RegistryRef,
  token: Secret,
  over: Secret | undefined,
  options: StoreOptions,
): Promise<ImportOutcome> {
  const { signal } = options;
  const ready = await store.prepare(options);
  if (ready.kind !== "ready") return { kind: "failed", failure: ready };
  const current = await store.get(key, { signal });
  switch (current.kind) {
    case "absent":
      if (over !== undefined) return { kind: "changed" };
      break;
    case "found": {
      const isSame = over?.equals(current.token) === true;
      current.token.wipe();
      if (!isSame) return { kind: "changed" };
      break;
    }
    default:
      return { kind: "failed", failure: current };
  }
  const kept = await storeToken(store, key, token, { signal });
  const { durable, plaintext } = ready;
  return kept.kind === "stored"
    ? { kind: "stored", durable, plaintext }
    : { kind: "failed", failure: kept };
}
