# bash completion for ajob, made by 'ajob completion bash'.

_ajob() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' prefix='' kind=words options='' operands='' words='' ended='' word i
    local operand=nothing valued='' at=0 program=0
    COMPREPLY=()
    # --option=value is three words where '=' separates words, else one.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]] && ((COMP_CWORD > 2)); then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $cur == --*=* ]]; then
        prefix=${cur%%=*}= prev=${cur%%=*} cur=${cur#*=}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -- ]]; then
            ended=1
        elif [[ -z $command && $word != -* ]]; then
            command=$word at=$i
        fi
    done
    case $command in
    '')
        options='--help --version'
        operands='download get gather any race each run check graph completion help'
        ;;
    download)
        options='--all --prerelease --pattern --exclude --flat --require-digest --lock --locked --list --token-file --no-cache --dir --download-dir --jobs --per-host --segments --limit-rate --timeout --grace --retries --retry-delay --max-wait --fsync --fail-fast --keep-going --dry-run --header --cacert --http --connect-timeout --stall-timeout --min-speed --insecure --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        case $prev in
        -p | --pattern) kind=nothing ;;
        -x | --exclude) kind=nothing ;;
        --lock) kind=files ;;
        --locked) kind=files ;;
        --token-file) kind=files ;;
        -d | --dir | --download-dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --per-host) kind=nothing ;;
        --segments) words='auto' ;;
        --limit-rate) kind=nothing ;;
        --timeout) kind=nothing ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --max-wait) kind=nothing ;;
        -H | --header) kind=nothing ;;
        --cacert) kind=files ;;
        --http) words='auto 1.1 2' ;;
        --connect-timeout) kind=nothing ;;
        --stall-timeout) kind=nothing ;;
        --min-speed) kind=nothing ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    get)
        options='--output-file --input-file --sha256 --require-digest --mirror --dir --download-dir --jobs --per-host --segments --limit-rate --timeout --grace --retries --retry-delay --max-wait --fsync --fail-fast --keep-going --dry-run --header --cacert --http --connect-timeout --stall-timeout --min-speed --insecure --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        case $prev in
        -o | --output-file) kind=files ;;
        -i | --input-file) kind=files ;;
        --sha256) kind=nothing ;;
        --mirror) kind=nothing ;;
        -d | --dir | --download-dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --per-host) kind=nothing ;;
        --segments) words='auto' ;;
        --limit-rate) kind=nothing ;;
        --timeout) kind=nothing ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --max-wait) kind=nothing ;;
        -H | --header) kind=nothing ;;
        --cacert) kind=files ;;
        --http) words='auto 1.1 2' ;;
        --connect-timeout) kind=nothing ;;
        --stall-timeout) kind=nothing ;;
        --min-speed) kind=nothing ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    gather)
        options='--name --keep-going --dir --jobs --timeout --jobserver --grace --retries --retry-delay --exit-code --dry-run --output --log-dir --events-output --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        operand=files
        case $prev in
        --name) kind=nothing ;;
        -d | --dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --timeout) kind=nothing ;;
        --jobserver) words='auto join pipe fifo none' ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --exit-code) words='any first' ;;
        --output) words='auto group prefix stream none' ;;
        --log-dir) kind=dirs ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    any)
        options='--name --dir --jobs --timeout --jobserver --grace --retries --retry-delay --exit-code --dry-run --output --log-dir --events-output --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        operand=files
        case $prev in
        --name) kind=nothing ;;
        -d | --dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --timeout) kind=nothing ;;
        --jobserver) words='auto join pipe fifo none' ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --exit-code) words='any first' ;;
        --output) words='auto group prefix stream none' ;;
        --log-dir) kind=dirs ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    race)
        options='--name --dir --jobs --timeout --jobserver --grace --retries --retry-delay --exit-code --dry-run --output --log-dir --events-output --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        operand=files
        case $prev in
        --name) kind=nothing ;;
        -d | --dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --timeout) kind=nothing ;;
        --jobserver) words='auto join pipe fifo none' ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --exit-code) words='any first' ;;
        --output) words='auto group prefix stream none' ;;
        --log-dir) kind=dirs ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    each)
        options='--arg-file --null --delimiter --columns --max-args --max-chars --count --shell --get --task-timeout --max-failures --delay --limit-start --resume --retry-failed --dir --jobs --timeout --jobserver --grace --retries --retry-delay --fail-fast --exit-code --dry-run --output --ordered --tag --results --events-output --per-host --segments --limit-rate --max-wait --fsync --header --cacert --http --connect-timeout --stall-timeout --min-speed --insecure --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        operand=files
        valued=' -a --arg-file --delimiter --columns -N --max-args --max-chars --count --task-timeout --max-failures --delay --limit-start --resume --retry-failed -d --dir -j --jobs --timeout --jobserver --grace -r --retries --retry-delay --exit-code --output --results --per-host --segments --limit-rate --max-wait -H --header --cacert --http --connect-timeout --stall-timeout --min-speed --events --progress --color '
        case $prev in
        -a | --arg-file) kind=files ;;
        --delimiter) kind=nothing ;;
        --columns) kind=nothing ;;
        -N | --max-args) kind=nothing ;;
        --max-chars) kind=nothing ;;
        --count) kind=nothing ;;
        --task-timeout) kind=nothing ;;
        --max-failures) kind=nothing ;;
        --delay) kind=nothing ;;
        --limit-start) kind=nothing ;;
        --resume) kind=files ;;
        --retry-failed) kind=files ;;
        -d | --dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --timeout) kind=nothing ;;
        --jobserver) words='auto join pipe fifo none' ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --exit-code) words='any first' ;;
        --output) words='auto group prefix stream none' ;;
        --results) kind=dirs ;;
        --per-host) kind=nothing ;;
        --segments) words='auto' ;;
        --limit-rate) kind=nothing ;;
        --max-wait) kind=nothing ;;
        -H | --header) kind=nothing ;;
        --cacert) kind=files ;;
        --http) words='auto 1.1 2' ;;
        --connect-timeout) kind=nothing ;;
        --stall-timeout) kind=nothing ;;
        --min-speed) kind=nothing ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    run)
        options='--exec --get --set --keep-going --resume --token-file --dir --jobs --per-host --limit-rate --timeout --jobserver --grace --retries --retry-delay --exit-code --dry-run --header --cacert --http --connect-timeout --stall-timeout --min-speed --insecure --output --log-dir --events-output --events --progress --color --quiet --verbose --no-actions --help'
        operands=''
        operand=files
        case $prev in
        --exec) kind=nothing ;;
        --get) kind=nothing ;;
        --set) kind=nothing ;;
        --resume) kind=files ;;
        --token-file) kind=files ;;
        -d | --dir) kind=dirs ;;
        -j | --jobs) kind=nothing ;;
        --per-host) kind=nothing ;;
        --limit-rate) kind=nothing ;;
        --timeout) kind=nothing ;;
        --jobserver) words='auto join pipe fifo none' ;;
        --grace) kind=nothing ;;
        -r | --retries) kind=nothing ;;
        --retry-delay) kind=nothing ;;
        --exit-code) words='any first' ;;
        -H | --header) kind=nothing ;;
        --cacert) kind=files ;;
        --http) words='auto 1.1 2' ;;
        --connect-timeout) kind=nothing ;;
        --stall-timeout) kind=nothing ;;
        --min-speed) kind=nothing ;;
        --output) words='auto group prefix stream none' ;;
        --log-dir) kind=dirs ;;
        --events) kind=files ;;
        --progress) words='auto bar lines none' ;;
        --color) words='auto always never' ;;
        esac
        ;;
    check)
        options='--set --strict --json --schema --verbose --help'
        operands=''
        operand=files
        case $prev in
        --set) kind=nothing ;;
        esac
        ;;
    graph)
        options='--format --exec --get --set --help'
        operands=''
        operand=files
        case $prev in
        --format) words='text dot mermaid json' ;;
        --exec) kind=nothing ;;
        --get) kind=nothing ;;
        --set) kind=nothing ;;
        esac
        ;;
    completion)
        options='--help'
        operands='bash zsh fish'
        ;;
    help)
        options='--help'
        operands='download get gather any race each run check graph completion help'
        ;;
    *)
        kind=nothing
        ;;
    esac
    # Of a command that runs another: where that is, behind options and their values.
    for ((i = at + 1; i < COMP_CWORD && program == 0; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -z $valued ]]; then
            break
        elif [[ $word == '=' || ($valued == *" $word "* && ${COMP_WORDS[i + 1]} != '=') ]]; then
            ((i++))
        elif [[ $word == -- ]]; then
            program=$((i + 1))
        elif [[ $word != -* ]]; then
            program=$i
        fi
    done
    if ((program > 0 && program < COMP_CWORD)); then
        kind=files
        if declare -F _command_offset >/dev/null; then _command_offset "$program"; fi
    elif [[ -n $valued && $kind == words && -z $words && ($cur != -* || -n $ended) ]]; then
        kind=programs
    fi
    if [[ $kind == words && -z $words ]]; then
        words=$operands
        if [[ $cur == -* && -z $ended ]]; then words=$options; fi
        if [[ -z $words ]]; then kind=$operand; fi
    fi
    case $kind in
    words)
        while IFS= read -r word; do COMPREPLY+=("$prefix$word"); done \
            < <(compgen -W "$words" -- "$cur")
        ;;
    programs)
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -c -- "$cur" | sort -u)
        ;;
    dirs)
        while IFS= read -r word; do COMPREPLY+=("$prefix$word"); done \
            < <(compgen -d -- "$cur")
        compopt -o filenames 2>/dev/null
        ;;
    nothing)
        compopt +o default +o bashdefault 2>/dev/null
        ;;
    esac
    return 0
}

complete -o bashdefault -o default -F _ajob ajob
