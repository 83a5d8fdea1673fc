// One item for both: what `cargo:libsecret` stored is found, replaced and
// erased here, and the reverse. Linux, like `cargo:libsecret` itself.

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BusItem,
  LOGIN_COLLECTION,
  type SessionBus,
  startSessionBus,
} from "../support/session_bus.ts";
import {
  type CargoResult,
  CRATES_IO_INDEX,
  PROVIDER,
  TestHome,
} from "../support/test_home.ts";

const LIBSECRET = "cargo:libsecret";

/** What another program sees of an item: all but the path it happens to have. */
function visible({ label, attributes, collection, secret }: BusItem): unknown {
  return { label, attributes, collection, secret };
}

async function withBoth(
  registry: "alt" | "crates-io",
  test: (
    scene: {
      readonly bus: SessionBus;
      readonly home: TestHome;
      readonly indexUrl: string;
      /** Runs cargo with one provider. */
      readonly cargo: (
        provider: string,
        args: string[],
        stdin?: string,
      ) => Promise<CargoResult>;
    },
  ) => Promise<void>,
): Promise<void> {
  const server = { tokens: ["one", "two"] };
  await using bus = await startSessionBus();
  await using home = await TestHome.create({
    registries: { alt: server },
    cratesIo: server,
    bus,
  });
  await home.configure([LIBSECRET]);
  await home.cargo(["login", "--registry", registry], { stdin: "one" });
  await home.cargo(["publish", "--no-verify", "--registry", registry], {
    cwd: await home.crate("foo"),
  });
  await home.cargo(["logout", "--registry", registry]);
  assertEquals(home.registry(registry).versions("foo"), ["0.1.0"]);
  await test({
    bus,
    home,
    indexUrl: registry === "alt" ? home.registry().indexUrl : CRATES_IO_INDEX,
    cargo: async (provider, args, stdin = "") => {
      await home.configure([provider]);
      return await home.cargo([...args, "--registry", registry], { stdin });
    },
  });
}

if (Deno.build.os === "linux") {
  for (const registry of ["alt", "crates-io"] as const) {
    Deno.test(`both write the same item for ${registry}`, async () => {
      await withBoth(registry, async ({ bus, cargo, indexUrl }) => {
        const items: unknown[] = [];
        for (const provider of [LIBSECRET, PROVIDER]) {
          await cargo(provider, ["login"], "one\n");
          items.push((await bus.items()).map(visible));
          await cargo(provider, ["logout"]);
          assertEquals(await bus.items(), []);
        }
        assertEquals(items[1], items[0]);
        assertEquals(items[1], [{
          label: `cargo-registry:${registry}`,
          attributes: {
            url: indexUrl,
            "xdg:schema": "org.rust-lang.cargo.registry",
          },
          collection: LOGIN_COLLECTION,
          secret: "one",
        }]);
      });
    });

    for (
      const [writer, reader] of [[LIBSECRET, PROVIDER], [PROVIDER, LIBSECRET]]
    ) {
      if (writer === undefined || reader === undefined) continue;
      const title = (name: string): string =>
        name === PROVIDER ? "the keyring" : name;

      Deno.test(
        `${title(reader)} finds, replaces and erases what ${
          title(writer)
        } stored for ${registry}`,
        async () => {
          await withBoth(registry, async ({ bus, home, cargo }) => {
            await cargo(writer, ["login"], "one\n");

            const found = await cargo(reader, ["yank", "foo@0.1.0"]);
            assertEquals(found.code, 0, found.stderr);
            assertEquals(home.registry(registry).versions("foo"), []);

            const before = await bus.items();
            await cargo(reader, ["login"], "two\n");
            const after = await bus.items();
            assertEquals(after.length, 1);
            assertEquals(
              after.map(visible),
              before.map((item) => visible({ ...item, secret: "two" })),
            );
            const undone = await cargo(writer, ["yank", "--undo", "foo@0.1.0"]);
            assertEquals(undone.code, 0, undone.stderr);

            const logout = await cargo(reader, ["logout"]);
            assertEquals(logout.code, 0, logout.stderr);
            assertEquals(await bus.items(), []);
            const gone = await cargo(writer, ["yank", "foo@0.1.0"]);
            assertEquals(gone.code, 101);
            assertStringIncludes(gone.stderr, "no token found");
          });
        },
      );
    }
  }
}
