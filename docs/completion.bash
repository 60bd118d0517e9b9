# bash completion for puente: commands, then the sources of the configuration in use and the options of --help.
_puente() {
  local current=${COMP_WORDS[COMP_CWORD]} command="" config=() word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --config) config=(--config "${COMP_WORDS[++i]}") ;;
      -*) ;;
      *) command=$word && break ;;
    esac
  done
  if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --config ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "--config --json --quiet --lang --help $(puente --lang en help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(puente "$command" --help 2>/dev/null | grep -o -- '--[a-z-]*' | sort -u)" -- "$current")
  else
    case $command in
      sync | remap | check | status)
        mapfile -t COMPREPLY < <(compgen -W "$(puente "${config[@]}" report sources --csv 2>/dev/null | tail -n +2 | cut -d, -f1)" -- "$current") ;;
      report)
        mapfile -t COMPREPLY < <(compgen -W "sources balance completeness stages discrepancy crosstab indicators totals linkage" -- "$current") ;;
      review)
        mapfile -t COMPREPLY < <(compgen -W "list show accept reject" -- "$current") ;;
      export)
        mapfile -t COMPREPLY < <(compgen -W "csv json htcds crosswalk ctdc aggregate" -- "$current") ;;
      *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
  fi
}
complete -F _puente puente
