#!/usr/bin/env -S deno run --no-prompt --allow-read --allow-write --allow-env --allow-ffi --allow-sys=uid
/**
 * The program: cargo's credential provider (`--cargo-plugin`), or the command
 * line for people.
 *
 * Each half is loaded only when it is asked for: what a `get` costs is mostly
 * what it loads.
 *
 * @module
 */

if (import.meta.main) {
  if (Deno.args[0] === "--cargo-plugin") {
    const { exitNow, runProvider } = await import(
      "./src/provider/run_provider.ts"
    );
    await runProvider();
    // A call into a store may still be running; it does not keep cargo.
    exitNow(0);
  } else {
    const { runCommandLine } = await import("./src/cli/run_command_line.ts");
    Deno.exit(await runCommandLine(Deno.args));
  }
}
