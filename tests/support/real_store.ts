import { askProvider } from "./ask_provider.ts";
import { type SessionBus, startSessionBus } from "./session_bus.ts";
import type { TestHome } from "./test_home.ts";

/** The platform's own credential store, as the end-to-end tests see it. */
export interface RealStore extends AsyncDisposable {
  /** What a {@linkcode TestHome} takes: on Linux the bus it is reached by. */
  readonly session: { readonly bus?: SessionBus };

  /**
   * What the store holds.
   *
   * @param home The home that wrote it.
   * @param indexUrl The index URL it is filed under.
   * @returns The token, `undefined` if there is none.
   * @throws {Error} If there are several.
   */
  token(home: TestHome, indexUrl: string): Promise<string | undefined>;
}

/**
 * Opens the platform's store: on Linux a gnome-keyring of its own, which is
 * looked into over its bus. Elsewhere the user's own, which is asked through
 * another process of the program under test; the tests erase what they write.
 *
 * @returns The store; dispose of it.
 */
export async function openRealStore(): Promise<RealStore> {
  if (Deno.build.os !== "linux") {
    return {
      session: {},
      token: askTheProgram,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const bus = await startSessionBus();
  return {
    session: { bus },
    token: async (_home, indexUrl) => {
      const found = (await bus.items())
        .filter(({ attributes }) => attributes["url"] === indexUrl);
      if (found.length > 1) throw new Error(`${found.length} items`);
      return found[0]?.secret ?? undefined;
    },
    [Symbol.asyncDispose]: () => bus.stop(),
  };
}

async function askTheProgram(
  home: TestHome,
  indexUrl: string,
): Promise<string | undefined> {
  const { answers: [answer] } = await askProvider(home, [{
    v: 1,
    registry: { "index-url": indexUrl },
    kind: "get",
    operation: "owners",
    name: "any",
  }], { env: { CARGO_HOME: `${home.root}/empty` } });
  const ok = answer?.["Ok"];
  return typeof ok === "object" && ok !== null && "token" in ok
    ? String(ok.token)
    : undefined;
}
