/** What the program is called, also as a package. */
export const PROGRAM = "cargo-credential-keyring";

export const VERSION = "0.1.0";

/** What it does, without a final stop. */
export const SUMMARY =
  "Keeps cargo's registry tokens in the system's credential store";
