/**
 * Opens a library as `Deno.dlopen()` does, except that a function which is not
 * `nonblocking` is called through its address. Deno would compile a trampoline
 * for each of them when the library is opened: 0.2 ms, and for the first one
 * 1.5 MB of memory, where a process makes a handful of calls.
 *
 * @param name What `Deno.dlopen()` takes.
 * @param symbols What is called in it.
 * @returns Its functions; `null` for one that is `optional` and missing.
 * @throws {Error} If the library is missing, or one of the functions is.
 */
export function openFunctions<const S extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  const declared: Record<string, Deno.ForeignFunction | Deno.ForeignStatic> =
    {};
  for (const [key, symbol] of Object.entries(symbols)) {
    declared[key] = isCalledByAddress(symbol)
      ? {
        name: symbol.name ?? key,
        type: "pointer",
        optional: symbol.optional === true,
      }
      : symbol;
  }
  const opened: Record<string, unknown> = Deno.dlopen(name, declared).symbols;
  const functions: Record<string, unknown> = {};
  for (const [key, symbol] of Object.entries(symbols)) {
    const found = opened[key];
    functions[key] = isCalledByAddress(symbol) && found !== null
      ? callByAddress(found as Address, symbol)
      : found;
  }
  return functions as Deno.DynamicLibrary<S>["symbols"];
}

function isCalledByAddress(
  symbol: Deno.ForeignFunction | Deno.ForeignStatic,
): symbol is Deno.ForeignFunction {
  return "parameters" in symbol && symbol.nonblocking !== true;
}

type Address = Deno.PointerObject<Deno.ForeignFunction>;

function callByAddress(
  address: Address,
  symbol: Deno.ForeignFunction,
): (...args: never[]) => unknown {
  const pointer = new Deno.UnsafeFnPointer(address, symbol);
  return (...args) => pointer.call(...args);
}
