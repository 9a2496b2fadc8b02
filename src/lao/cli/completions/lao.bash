# SPDX-License-Identifier: Apache-2.0
# Completion of `lao` for bash 4 and later.

_lao_complete() {
    local line=${COMP_LINE:0:COMP_POINT} words word candidate head
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[-1]}
    # bash cuts words at = and : and wants only what follows the last of them
    head=${word%"${word##*[=:]}"}
    [[ $COMP_WORDBREAKS == *:* ]] || head=${word%"${word##*=}"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        [[ $candidate == "$word"* ]] && COMPREPLY+=("${candidate#"$head"}")
    done < <(lao completion --words -- "${words[@]:1}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
        compopt -o default 2>/dev/null
    elif [[ ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _lao_complete lao
