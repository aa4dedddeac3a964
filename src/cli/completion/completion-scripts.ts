export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
type Shell = (typeof shells)[number];

/**
 * The scripts only carry words to `mailauth completion complete -- WORDS` and back, so that they never go out of date (as cobra's do).
 * It answers one candidate a line, `value<TAB>summary`, and ends with `:files` where file names fit as well.
 */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# mailauth completion for bash: in ~/.bashrc, eval "$(mailauth completion bash)"
_mailauth() {
  local line=\${COMP_LINE:0:COMP_POINT} program=\${COMP_WORDS[0]} current kept value files=
  local -a words=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  # readline breaks words at @ : and = as well; what stands before its own word ($2) must not be repeated
  kept=\${current%"$2"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :files ]]; then files=yes; continue; fi
    [[ $value == "$current"* ]] && COMPREPLY+=("\${value#"$kept"}")
  done < <("$program" completion complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$2")
  fi
}
complete -F _mailauth mailauth entra-mailauth
`,
  zsh: `#compdef mailauth entra-mailauth
# mailauth completion for zsh: in ~/.zshrc after compinit, source <(mailauth completion zsh)
_mailauth() {
  local line value summary files=
  local -a found
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=yes; continue; fi
    value=\${line%%$'\\t'*} summary=\${line#*$'\\t'}
    found+=("\${value//:/\\\\:}\${summary:+:$summary}")
  done < <("\${words[1]}" completion complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe -t values mailauth found
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _mailauth ]]; then _mailauth "$@"; else compdef _mailauth mailauth entra-mailauth; fi
`,
  fish: `# mailauth completion for fish: mailauth completion fish > ~/.config/fish/completions/mailauth.fish
function __mailauth_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in ($words[1] completion complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command mailauth --no-files --arguments '(__mailauth_complete)'
complete --command entra-mailauth --no-files --arguments '(__mailauth_complete)'
`,
  powershell: `# mailauth completion for PowerShell: in $PROFILE, mailauth completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName mailauth, entra-mailauth -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text.Trim("'") })
    # Before version 7.3 an empty word does not reach a program unless it is quoted once more.
    $current = $wordToComplete
    if ($current -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { $current = '""' }
    & $commandAst.GetCommandName() completion complete '--' @words $current 2>$null | ForEach-Object {
        $value, $summary = $_ -split "\`t", 2
        if ($value -eq ':files') { [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete) }
        else {
            $text = $value
            if ($value -notmatch '^[\\w@.+=:/-]+$') { $text = "'" + $value.Replace("'", "''") + "'" }
            if (-not $summary) { $summary = $value }
            [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $summary)
        }
    }
}
`,
};
