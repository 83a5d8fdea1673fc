// What is begun before the rest of the provider is loaded, and when not.

import { assertEquals } from "@std/assert";
import { isOrdinary } from "../../src/provider/head_start.ts";
import { askProvider } from "../support/ask_provider.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";

if (Deno.build.os === "linux") {
  Deno.test("isOrdinary() is false where anything speaks against the store", async () => {
    const CARGO_HOME = await Deno.makeTempDir();
    try {
      const ordinary = {
        CARGO_HOME,
        CARGO_REGISTRIES_ALT_INDEX: "sparse+https://alt.example/",
        DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus",
      };
      assertEquals(isOrdinary(ordinary), true);
      for (
        const variable of [
          "CARGO_REGISTRY_TOKEN",
          "CARGO_REGISTRIES_ALT_TOKEN",
          "CARGO_REGISTRIES_OTHER\n_TOKEN",
          "CARGO_CREDENTIAL_KEYRING_STORE",
          "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT",
          "CREDENTIALS_DIRECTORY",
          "SECRET_BACKEND",
          "FLATPAK_ID",
          "SNAP",
        ]
      ) {
        const env = { ...ordinary, [variable]: "" };
        assertEquals(isOrdinary(env), false, variable);
      }
      assertEquals(isOrdinary({}), false);
      assertEquals(isOrdinary({ CARGO_HOME: "/proc/self" }), false);
      await Deno.writeTextFile(`${CARGO_HOME}/credential-keyring.toml`, "");
      assertEquals(isOrdinary(ordinary), false);
    } finally {
      await Deno.remove(CARGO_HOME, { recursive: true });
    }
  });

  for (
    const [title, env, methods] of [
      ["asks the store once", {}, ["OpenSession", "SearchItems", "GetSecrets"]],
      ["asks nobody for a token of the environment", {
        CARGO_REGISTRIES_ALT_TOKEN: "of-the-environment",
      }, []],
      ["asks nobody with the store switched off", {
        CARGO_CREDENTIAL_KEYRING_STORE: "off",
      }, []],
    ] as const
  ) {
    Deno.test(`a get ${title}`, async () => {
      await using bus = await startSessionBus();
      await using home = await TestHome.create({ bus });
      const { indexUrl } = home.registry();
      await bus.store([{
        attributes: {
          "xdg:schema": "org.rust-lang.cargo.registry",
          url: indexUrl,
        },
        secret: "stored",
      }]);
      const monitor = await bus.startMonitor();
      await askProvider(home, [{
        v: 1,
        registry: { "index-url": indexUrl, name: "alt" },
        kind: "get",
        operation: "read",
      }], { env });
      const log = await monitor.stop();
      const asked = [...log.matchAll(/^method call .*member=(\w+)$/gm)]
        .map(([, member]) => member)
        .filter((member) =>
          /^(OpenSession|.*Items|GetSecret.*)$/.test(member ?? "")
        );
      assertEquals<unknown>(asked, methods);
    });
  }
}
