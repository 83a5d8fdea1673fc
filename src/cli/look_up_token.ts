import { environmentToken } from "../cargo/environment_token.ts";
import { findRebinding } from "../cargo/rebinding.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  type RegistryRef,
} from "../cargo/registries.ts";
import { isBoundByUser, registryIndex } from "../cargo/registry_index.ts";
import {
  credentialsTables,
  type PlaintextOutcome,
  readPlaintext,
} from "../credentials/file.ts";
import { describeLockFailure } from "../tokens/move.ts";
import { isSuperseded } from "../state/superseded.ts";
import { showProgress } from "../terminal/progress.ts";
import { decideToken, type TokenAnswer } from "../tokens/token_decision.ts";
import type { Session } from "./session.ts";

/** Where {@linkcode lookUpToken} looks. */
export interface LookUpOptions {
  /**
   * Whether a token variable counts: not for what is written down, since such
   * a token is not kept here.
   */
  readonly environment: boolean;
}

/** Looks for a registry's token as cargo would, with a dialog if need be. */
export async function lookUpToken(
  session: Session,
  registry: RegistryRef,
  options: LookUpOptions,
): Promise<TokenAnswer> {
  const { indexUrl, name } = registry;
  const layers = await session.config();
  const environment = options.environment
    ? await environmentToken(session.env, registry, () => session.config())
    : { kind: "none" } as const;
  const asksStore = environment.kind === "none";
  const place = await session.storeOf(indexUrl, asksStore);
  const plaintext = await plaintextOf(session, registry);
  using _ = showProgress(`Waiting for ${place.store.title}`);
  return decideToken({
    environment,
    store: asksStore
      ? await session.get(
        place,
        { indexUrl, ...(name === undefined ? {} : { name }) },
      )
      : { kind: "absent" },
    plaintext,
    superseded: plaintext.kind === "found" &&
      await isSuperseded(await session.state(), indexUrl, plaintext.token),
    rebinding: findRebinding(layers, session.cwd(), registry),
    boundByUser: name !== undefined &&
      isBoundByUser(layers, session.cwd(), name, indexUrl),
    strict: place.settings.fallback === "strict",
  });
}

/** The same for a name, as cargo understands it here. */
export async function lookUpByName(
  session: Session,
  name: string,
): Promise<TokenAnswer | { readonly kind: "no-index" }> {
  const indexUrl = name === CRATES_IO_NAME
    ? CRATES_IO_INDEX
    : registryIndex(await session.config(), session.cwd(), name)?.url;
  return indexUrl === undefined
    ? { kind: "no-index" }
    : await lookUpToken(session, { name, indexUrl }, { environment: true });
}

/** What the credentials file has for a registry. */
export async function plaintextOf(
  session: Session,
  registry: RegistryRef,
): Promise<PlaintextOutcome> {
  const tables = await credentialsTables(
    session.env,
    registry,
    () => session.config(),
  );
  return await readPlaintext(await session.path(), tables);
}

/**
 * Says why there is no token: a clause without the registry's name and without
 * a final stop.
 */
export function describeNoToken(
  answer:
    | Exclude<TokenAnswer, { kind: "token" }>
    | { readonly kind: "no-index" },
  path: string,
): string {
  switch (answer.kind) {
    case "no-index":
      return "no configuration binds the name to an index URL";
    case "none":
      return NONE[answer.reason];
    case "rebound": {
      const { name, userUrl, projectUrl } = answer.rebinding;
      return `your own configuration binds \`${name}\` to ${userUrl}, and a ` +
        `project binds it to ${projectUrl} here; its token is not handed out ` +
        "for that URL";
    }
    case "store-failed":
      return `${answer.failure.reason}. ${answer.failure.remedy}`
        .replace(/\.$/, "");
    case "file-unusable":
      return `${path}: ${describeLockFailure(answer.plaintext)}`;
  }
}

const NONE: Readonly<
  Record<Extract<TokenAnswer, { kind: "none" }>["reason"], string>
> = {
  "absent": "there is no token; `cargo login` stores one",
  "environment-empty": "its token variable is set to nothing",
  "environment-file-unusable":
    "the file that its token variable names holds no token",
  "stored-unusable": "what is stored is no token; `cargo login` stores one",
  "bound-by-project":
    "only a project binds the name to its index URL, so the token that " +
    "cargo's credentials file has for the name is not handed out for it; " +
    "bind the name in your own configuration",
};
