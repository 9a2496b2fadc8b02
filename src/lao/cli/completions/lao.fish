# SPDX-License-Identifier: Apache-2.0
# Completion of `lao` for fish.

function __lao_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (lao completion --words -- $words[2..] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lao -f -a '(__lao_complete)'
