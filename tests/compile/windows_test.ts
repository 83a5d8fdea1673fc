import { assert, assertEquals } from "@std/assert";
import { compile } from "../../scripts/compile.ts";
import { setUpWine, whyNoWine } from "../harness/wine.ts";
import { readEmbedded } from "../support/embedded.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "Wine runs on Linux alone");

// Windows' own denort is not at hand everywhere: any program of its kind takes
// what Deno adds, and none but denort runs it.
const reason = await whyNoWine();

linux.test({
  name: "compile() makes a program for Windows, with the same permissions",
  ignore: reason !== undefined,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { deno } = await setUpWine();
      const path = await compile({
        target: "x86_64-pc-windows-msvc",
        directory,
        denortBin: deno,
      });
      assertEquals(path, `${directory}/cargo-credential-keyring.exe`);
      const bytes = await Deno.readFile(path);
      assertEquals(new TextDecoder().decode(bytes.subarray(0, 2)), "MZ");
      const { metadata, files } = readEmbedded(bytes);
      const { allow_net, allow_run, prompt } = Object(metadata["permissions"]);
      assertEquals([allow_net, allow_run, prompt], [null, null, false]);
      assert(files.includes("mod.js"));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
