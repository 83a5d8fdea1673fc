import { assertEquals } from "@std/assert";
import { anySettings } from "../../src/settings/any_settings.ts";

if (Deno.build.os === "linux") {
  Deno.test("anySettings() is false only where nothing can be set", async () => {
    const directory = await Deno.makeTempDir();
    const cargoHome = `${directory}/home`;
    const path = `${directory}/system.toml`;
    await Deno.mkdir(cargoHome);
    const any = (env: Readonly<Record<string, string>> = {}): boolean =>
      anySettings({
        env,
        cargoHome,
        os: "linux",
        indexUrl: "sparse+https://alt.example/",
        systemFile: { path, isTrusted: () => Promise.resolve(true) },
      });
    try {
      assertEquals(any(), false);
      assertEquals(any({ CARGO_HOME: cargoHome, CARGO_TERM_COLOR: "" }), false);
      assertEquals(any({ CARGO_CREDENTIAL_KEYRING_STORE: "" }), true);
      // There is something to tell of it.
      assertEquals(any({ cargo_credential_keyring_stoer: "off" }), true);
      await Deno.symlink("nowhere", `${cargoHome}/credential-keyring.toml`);
      assertEquals(any(), true);
      await Deno.remove(`${cargoHome}/credential-keyring.toml`);
      await Deno.mkdir(path);
      assertEquals(any(), true);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("anySettings() leaves Windows to what finds the file there", () => {
  const sources = { env: {}, cargoHome: undefined, indexUrl: "" };
  assertEquals(anySettings({ ...sources, os: "windows" }), true);
});
