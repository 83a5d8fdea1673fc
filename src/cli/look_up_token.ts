import { printable } from "../base/printable.ts";
import { environmentToken } from "../cargo/environment_token.ts";
import { findRebinding } from "../cargo/rebinding.ts";
import { isBoundByUser } from "../cargo/registry_index.ts";
import {
  credentialsTables,
  type PlaintextOutcome,
  readPlaintext,
} from "../credentials/file.ts";
import { describeLockFailure } from "../migration/move.ts";
import { isSuperseded } from "../migration/state.ts";
import { decideToken, type TokenAnswer } from "../tokens/token_decision.ts";
import type { NamedRegistry, Workplace } from "./workplace.ts";

/** Where {@linkcode lookUpToken} looks. */
export interface LookUpOptions {
  /**
   * Whether a token variable counts: not for what is written down, since such
   * a token is not kept here.
   */
  readonly environment: boolean;
}

/** Looks for the token of a registry as cargo would, with a dialog if need be. */
export async function lookUpToken(
  place: Workplace,
  { name, indexUrl }: NamedRegistry,
  options: LookUpOptions,
): Promise<TokenAnswer> {
  const { env, layers, cwd } = place;
  const registry = { indexUrl, ...(name === indexUrl ? {} : { name }) };
  const loadConfig = (): Promise<typeof layers> => Promise.resolve(layers);
  const environment = options.environment
    ? await environmentToken(env, registry, loadConfig)
    : { kind: "none" } as const;
  const { settings, store, signal, mayPrompt } = await place.storeOf(
    indexUrl,
    environment.kind === "none",
  );
  const plaintext = await plaintextOf(place, registry);
  return decideToken({
    environment,
    store: environment.kind === "none"
      ? await store.get(
        { indexUrl, registryName: name },
        { signal, prompt: mayPrompt },
      )
      : { kind: "absent" },
    plaintext,
    superseded: plaintext.kind === "found" &&
      await isSuperseded(place.state(), indexUrl, plaintext.token),
    rebinding: findRebinding(layers, cwd, registry),
    boundByUser: isBoundByUser(layers, cwd, name, indexUrl),
    strict: settings.fallback === "strict",
  });
}

/** What the credentials file has for a registry. */
export async function plaintextOf(
  place: Workplace,
  registry: { readonly indexUrl: string; readonly name?: string },
): Promise<PlaintextOutcome> {
  const tables = await credentialsTables(
    place.env,
    registry,
    () => Promise.resolve(place.layers),
  );
  return await readPlaintext(place.path, tables);
}

/** Says why there is no token: a sentence or two, without the registry's name. */
export function describeNoToken(
  answer: Exclude<TokenAnswer, { kind: "token" }>,
  path: string,
): string {
  switch (answer.kind) {
    case "none":
      return NONE[answer.reason];
    case "rebound": {
      const { name, userUrl, projectUrl } = answer.rebinding;
      return `your own configuration binds \`${printable(name)}\` to ` +
        `${printable(userUrl)}, and the configuration here binds it to ` +
        `${printable(projectUrl)}: its token is not handed out for that URL.`;
    }
    case "store-failed":
      return `${answer.failure.reason}. ${answer.failure.remedy}`;
    case "file-unusable":
      return `${printable(path)}: ${describeLockFailure(answer.plaintext)}.`;
  }
}

const NONE: Readonly<
  Record<Extract<TokenAnswer, { kind: "none" }>["reason"], string>
> = {
  "absent": "it has no token; `cargo login` stores one.",
  "environment-empty": "its token variable is set to nothing.",
  "stored-unusable": "what is stored is no token; `cargo login` stores one.",
  "bound-by-project":
    "a project alone binds the name to its URL, so the token of that name in " +
    "cargo's credentials file is not handed out for it; your own " +
    "configuration, or `CARGO_REGISTRIES_NAME_INDEX`, can bind it.",
};
