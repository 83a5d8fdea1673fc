import { assertEquals } from "@std/assert";

const MODULE = new URL("../../ffi/exit_now.ts", import.meta.url).href;

Deno.test("exitNow() ends the process, whatever still runs", async () => {
  const script = `
    import { exitNow } from ${JSON.stringify(MODULE)};
    setTimeout(() => {}, 60_000);
    Deno.stdout.writeSync(new TextEncoder().encode("written"));
    exitNow(7);
    Deno.stdout.writeSync(new TextEncoder().encode(" and more"));
  `;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [7, "written"]);
});
