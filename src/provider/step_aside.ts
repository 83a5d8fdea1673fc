import type { Registry } from "../tokens/registry.ts";
import type { Answer, GetAnswer } from "../protocol/messages.ts";
import type { ProviderContext } from "./context.ts";
import { describeRebinding } from "../tokens/about.ts";

/** What {@linkcode withoutStore} looks at. */
export interface GetSurroundings
  extends Pick<ProviderContext, "settings" | "notice"> {
  readonly registry: Pick<Registry, "rebinding" | "sendable" | "chain">;
}

/**
 * Answers a `get` that has failed for a reason that no table foresees: as where
 * the store is unreachable. The next provider is asked, unless there is none,
 * the settings are strict, or it might send a token to a project's URL.
 */
export async function withoutStore(
  context: GetSurroundings,
  why: string,
): Promise<GetAnswer> {
  const rebinding = await context.registry.rebinding();
  if (rebinding !== "none" && await context.registry.sendable()) {
    return other(
      `${why}, and ${describeRebinding(rebinding)}; your token is not sent ` +
        "there",
    );
  }
  const settings = await orNothing(context.settings());
  const chain = await orNothing(context.registry.chain());
  if (
    chain?.cargoTokenFollows === false ||
    (settings?.kind === "wrong" ? settings.system : isStrict(settings))
  ) return other(why);
  await orNothing(context.notice({
    level: "warning",
    text: `${why}; the next provider is asked`,
    frequency: "daily",
    topic: "step-aside",
  }, true));
  return { kind: "url-not-supported" };
}

function isStrict(
  settings: { readonly fallback: string } | undefined,
): boolean {
  return settings?.fallback === "strict";
}

/** What {@linkcode stepAside} looks at and does. */
export interface AsideContext
  extends Pick<ProviderContext, "settings" | "notice" | "say"> {
  readonly registry:
    & GetSurroundings["registry"]
    & Pick<Registry, "environmentToken">;
}

/**
 * Answers a request where cargo has a home that this program cannot read: as
 * without this program, since the settings, the registries and the tokens of
 * such a home are not known.
 */
export async function stepAside(
  kind: "get" | "login" | "logout",
  context: AsideContext,
  why: string,
): Promise<Answer> {
  switch (kind) {
    case "get": {
      const environment = await context.registry.environmentToken();
      if (
        environment.kind === "token" &&
        await context.registry.rebinding() === "none"
      ) {
        return { kind: "token", token: environment.token };
      }
      // The list of providers is in that home.
      const chain = () =>
        Promise.resolve({ cargoTokenFollows: true, cargoTokenListed: true });
      return await withoutStore({
        registry: {
          rebinding: () => context.registry.rebinding(),
          sendable: () => context.registry.sendable(),
          chain,
        },
        settings: () => context.settings(),
        notice: (...args) => context.notice(...args),
      }, why);
    }
    case "login": {
      const settings = await context.settings();
      if (settings.kind === "wrong" || settings.fallback !== "file") {
        return other(`${why}; nothing was stored`);
      }
      context.say(
        `warning: ${why}; the token is not stored in a keyring. ` +
          "`cargo:token`, if it is asked next, keeps it in PLAINTEXT",
      );
      return { kind: "url-not-supported" };
    }
    case "logout":
      context.say(`warning: ${why}; a token in a keyring stays there`);
      return { kind: "url-not-supported" };
  }
}

function other(message: string): GetAnswer {
  return { kind: "other", message };
}

async function orNothing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}
