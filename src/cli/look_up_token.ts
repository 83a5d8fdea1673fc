import { storeFailureClause } from "../stores/credential_store.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  type RegistryRef,
} from "../cargo/registries.ts";
import { isBoundByUser, registryIndex } from "../cargo/registry_index.ts";
import { describeFileObstacle } from "../tokens/words.ts";
import { showProgress } from "../terminal/progress.ts";
import { decideToken, type TokenAnswer } from "../tokens/token_decision.ts";
import type { CommandSession } from "./session.ts";

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
  session: CommandSession,
  ref: RegistryRef,
  options: LookUpOptions,
): Promise<TokenAnswer> {
  const { indexUrl, name } = ref;
  const environment = options.environment
    ? await session.registry(ref).environmentToken()
    : { kind: "none" } as const;
  const asksStore = environment.kind === "none";
  const place = await session.storeOf(ref, asksStore);
  const { registry } = place;
  const plaintext = (await registry.plaintext()).outcome;
  using _ = showProgress(`Waiting for ${place.store.title}`);
  return decideToken({
    environment,
    store: asksStore ? await session.get(place) : { kind: "absent" },
    plaintext,
    superseded: plaintext.kind === "found" &&
      await registry.isSuperseded(plaintext.token),
    rebinding: await registry.rebinding(),
    boundByUser: name !== undefined &&
      isBoundByUser(await session.config(), session.cwd(), name, indexUrl),
    strict: place.settings.fallback === "strict",
  });
}

/** The same for a name, as cargo understands it here. */
export async function lookUpByName(
  session: CommandSession,
  name: string,
): Promise<TokenAnswer | { readonly kind: "no-index" }> {
  const indexUrl = name === CRATES_IO_NAME
    ? CRATES_IO_INDEX
    : registryIndex(await session.config(), session.cwd(), name)?.url;
  return indexUrl === undefined
    ? { kind: "no-index" }
    : await lookUpToken(session, { name, indexUrl }, { environment: true });
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
      return storeFailureClause(answer.failure);
    case "file-unusable":
      return `${path}: ${describeFileObstacle(answer.plaintext)}`;
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
