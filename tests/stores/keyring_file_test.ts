import { assertEquals } from "@std/assert";
import { isPlaintextKeyring } from "../../src/stores/keyring_file.ts";
import { keyringName } from "../../src/stores/keyring_name.ts";
import { keepingSince } from "../../src/stores/_secret_service_look.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "gnome-keyring's daemon is a program of Unix");

const COLLECTION = "/org/freedesktop/secrets/collection";

Deno.test("keyringName() undoes the escapes of object paths", () => {
  for (
    const [escaped, name] of [
      ["login", "login"],
      ["Default_5fkeyring", "Default_keyring"],
      ["Standard_2dSchl_c3_bcsselbund", "Standard-Schl\u00fcsselbund"],
      ["_e9_8d_b5", "\u9375"],
      ["_ff", "\ufffd"],
      ["", ""],
    ] as const
  ) {
    assertEquals(keyringName(`${COLLECTION}/${escaped}`), name);
  }
});

unix.test("isPlaintextKeyring() looks at how the file begins", async () => {
  const home = await Deno.makeTempDir();
  try {
    const folder = `${home}/.local/share/keyrings`;
    await Deno.mkdir(`${folder}/folder.keyring`, { recursive: true });
    for (
      const [name, text] of [
        ["plain_one", "[keyring]\ndisplay-name=plain\n"],
        ["Schl\u00fcssel", "[keyring]\n"],
        ["login", "GnomeKeyring\n\r\0\n\0"],
        ["short", "[key"],
        ["empty", ""],
      ] as const
    ) {
      await Deno.writeTextFile(`${folder}/${name}.keyring`, text);
    }
    const ask = (
      escaped: string,
      env: Readonly<Record<string, string>> = { HOME: home },
    ): Promise<boolean> =>
      isPlaintextKeyring(`${COLLECTION}/${escaped}`, (name) => env[name]);
    assertEquals(await ask("plain_5fone"), true);
    assertEquals(await ask("Schl_c3_bcssel"), true);
    const data = { XDG_DATA_HOME: `${home}/.local/share` };
    assertEquals(await ask("plain_5fone", data), true);
    // A relative one is ignored.
    const relative = { XDG_DATA_HOME: "share", HOME: home };
    assertEquals(await ask("plain_5fone", relative), true);
    for (const name of ["login", "short", "empty", "folder", "none"]) {
      assertEquals(await ask(name), false, name);
    }
    assertEquals(await ask("plain_5fone", {}), false);
    assertEquals(await ask("_2e_2e_2fkeyrings_2fplain_5fone"), false);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("keepingSince() trusts a service that writes later after a while", () => {
  const now = 1_800_000_000.5;
  for (
    const [modified, keeping] of [
      [now - 3600, "on-disk"],
      [now - 10, "on-disk"],
      [now - 9, "not-yet-on-disk"],
      [now - 5, "not-yet-on-disk"],
      [now, "not-yet-on-disk"],
      // The clock was set back since, by a second or an hour.
      [now + 1, "not-yet-on-disk"],
      [now + 3600, "not-yet-on-disk"],
      // By years: it does not wait for them.
      [now + 2 * 86_400, "on-disk"],
      [now + 1e9, "on-disk"],
      // A service that keeps no times.
      [0, "on-disk"],
      [undefined, "not-yet-on-disk"],
    ] as const
  ) {
    assertEquals(keepingSince(modified, now), keeping, `${modified}`);
  }
});
