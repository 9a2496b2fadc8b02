#compdef lao
# SPDX-License-Identifier: Apache-2.0
# Completion of `lao` for zsh.

_lao() {
    local -a found whole open
    found=("${(@f)$(lao completion --words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    whole=("${(@)found:#*[=\/]}")
    open=("${(@M)found:#*[=\/]}")
    whole=("${(@)whole:#}")
    if (( ${#whole} + ${#open} == 0 )); then
        _files
        return
    fi
    (( ${#whole} )) && compadd -- "${whole[@]}"
    (( ${#open} )) && compadd -S '' -- "${open[@]}"
}
compdef _lao lao
