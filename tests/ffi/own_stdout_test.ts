import { assert, assertEquals } from "@std/assert";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "standard output is left alone on Windows");

/** A program that has taken its output, and in which a library writes. */
function program(rest: string): string {
  const module = JSON.stringify(
    import.meta.resolve("../../ffi/own_stdout.ts"),
  );
  return `
    import { takeStdout } from ${module};
    const out = takeStdout();
    const libc = Deno.dlopen("libc.so.6", {
      puts: { parameters: ["buffer"], result: "i32" },
      fflush: { parameters: ["pointer"], result: "i32" },
      fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    }).symbols;
    const bytes = (text) => new TextEncoder().encode(text);
    function puts(text) {
      libc.puts(bytes(text + "\\0"));
      libc.fflush(null);
    }
    function send(text) {
      let left = bytes(text);
      while (left.length > 0) left = left.subarray(out.writeSync(left));
    }
    ${rest}`;
}

function start(rest: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program(rest)],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

unix.test("takeStdout() keeps what libraries print out of the output", async () => {
  const child = start(`
    puts("one");
    send("ours\\n");
    puts("two");
    console.log("three");
    send("ours, too\\n");
  `);
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "ours\nours, too\n");
  assertEquals(new TextDecoder().decode(stderr), "one\ntwo\nthree\n");
});

for (const pipe of ["a pipe", "a pipe that does not block"]) {
  unix.test(`takeStdout() waits for the reader of ${pipe}`, async () => {
    const nonblocking = pipe === "a pipe"
      ? ""
      // F_SETFL, O_NONBLOCK on every descriptor that could be it.
      : "for (let fd = 3; fd < 64; fd++) libc.fcntl(fd, 4, 0o4000);";
    const child = start(`
      ${nonblocking}
      send("x".repeat(1_000_000) + "\\n");
    `);
    await new Promise((done) => setTimeout(done, 300));
    const { stdout, stderr } = await child.output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(stdout.length, 1_000_001);
  });
}

unix.test("takeStdout() tells that nobody reads any more", async () => {
  const child = start(`
    try {
      for (;;) send("x".repeat(100_000));
    } catch (error) {
      puts(error.name);
    }
  `);
  await child.stdout.cancel();
  assertEquals(await new Response(child.stderr).text(), "BrokenPipe\n");
  assert((await child.status).success);
});

unix.test("takeStdout() tells what the system says", async () => {
  const { stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" >/dev/full',
      "sh",
      Deno.execPath(),
      "eval",
      "--no-config",
      program(`try { send("x"); } catch (error) { puts(error.message); }`),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(
    new TextDecoder().decode(stderr),
    "standard output fails (os error 28)\n",
  );
});

unix.test("takeStdout() gives the output back to whoever comes next", async () => {
  const child = start(`
    puts("one");
    send("ours\\n");
    out.giveBack();
    puts("two");
  `);
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "ours\ntwo\n");
  assertEquals(new TextDecoder().decode(stderr), "one\n");
});
