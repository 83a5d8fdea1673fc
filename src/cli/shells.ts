import {
  bash,
  fish,
  nu,
  pwsh,
  type ShellCompletion,
  zsh,
} from "@optique/core/completion";

// Where cargo's own completion asks a subcommand for its words. Bash's does not.
const ZSH_OF_CARGO = `
function _cargo-credential-keyring () {
  _optique:cargo-credential-keyring "$@"
}
`;
const FISH_OF_CARGO = `
complete -c cargo -n '__fish_seen_subcommand_from credential-keyring' \\
    -f -a '(__cargo-credential-keyring_complete)'
`;

/** The shells that there are completions for, by the names that are typed. */
export const shells: Readonly<Record<string, ShellCompletion>> = {
  bash,
  fish: withMore(fish, FISH_OF_CARGO),
  nu,
  powershell: { ...pwsh, name: "powershell" },
  zsh: withMore(zsh, ZSH_OF_CARGO),
};

/** The script with more behind its first line, which may be zsh's `#compdef`. */
function withMore(shell: ShellCompletion, more: string): ShellCompletion {
  return {
    ...shell,
    generateScript: (program, args) =>
      shell.generateScript(program, args).replace("\n", () => more),
  };
}
