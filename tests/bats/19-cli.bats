# The command line: what is wrong with one is said in one line, and nothing is started.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

# wrong TEXT ARG...: exit 2, exactly this line on stderr, nothing on stdout, nothing done
wrong() {
    run_ajob "${@:2}"
    assert_failure 2
    refute_output
    assert_stderr "ajob: $1"
    assert_tree .
}

URL=http://127.0.0.1:1/a

@test "without a command: usage, on stderr" {
    run_ajob
    assert_failure 2
    refute_output
    assert_stderr --regexp '^Usage: ajob '
    for command in download get help completion; do
        assert_stderr --partial "$command"
    done
}

@test "unknown commands and options, with a suggestion where one is near" {
    wrong 'unknown command dwonload; did you mean download?' dwonload o/r
    wrong "unknown command frobnicate: see 'ajob --help'" frobnicate
    wrong 'download: unknown option --patern; did you mean --pattern?' download --patern x o/r
    wrong 'download: unknown option --jobz; did you mean --jobs?' download --jobz=4 o/r
    wrong "get: unknown option --frobnicate: see 'ajob get --help'" get --frobnicate "$URL"
    wrong "get: unknown option -Z: see 'ajob get --help'" get -qZ "$URL"
    wrong "unknown option --frobnicate: see 'ajob --help'" --frobnicate
    wrong "help: unknown command gett; did you mean get?" help gett
    wrong "download: unknown option --output-fil: see 'ajob download --help'" download --output-fil x o/r
    # Long names are not abbreviated.
    wrong 'download: unknown option --patt; there are: --pattern' download --patt x o/r
    wrong 'get: unknown option --retry; there are: --retries, --retry-delay' get --retry 3 "$URL"
    wrong "get: unknown option --ou: see 'ajob get --help'" get --ou x "$URL"
    run_ajob get --mdoc "$URL" # hidden options of others are no candidates
    assert_failure 2
}

@test "values: missing, empty, unasked for, of the wrong kind" {
    wrong 'get: --jobs: its value is missing: give --jobs N' get "$URL" --jobs
    wrong 'get: -j: its value is missing: give -j N' get "$URL" -j
    wrong 'get: --jobs: its value is empty: give N' get --jobs= "$URL"
    wrong 'get: --quiet=yes: takes no value: write just --quiet' get --quiet=yes "$URL"
    wrong 'get: -qk3: takes no value: write just -qk' get -qk3 "$URL"
    for value in 0 -1 1x x 1025 99999999999999999999 ' 1' 1.5; do
        wrong "get: --jobs: $value: not a whole number that fits: use one from 1 to 1024" get --jobs "$value" "$URL"
    done
    wrong 'get: --per-host: 0: not a whole number that fits: use one from 1 to 1024' get --per-host 0 "$URL"
    wrong 'get: -r: 1001: not a whole number that fits: use one from 0 to 1000' get -r1001 "$URL"
    for value in x 5x -5 1m30 5s5m '1 s' 366d 99999999999h; do
        wrong "get: --timeout: $value: not a duration: use 500ms, 30s, 5m or 1h30m" get --timeout "$value" "$URL"
    done
    wrong 'get: --progress: pretty: not one of its words: use auto, bar, lines or none' get --progress pretty "$URL"
    wrong 'get: --http: 3: not one of its words: use auto, 1.1 or 2' get --http=3 "$URL"
    for value in 0 17 x -1; do
        wrong "get: --segments: $value: not a whole number that fits: use auto or one from 1 to 16" get --segments "$value" "$URL"
    done
    for value in x 1.5M 2MB -1; do
        wrong "get: --limit-rate: $value: not a size: use 64K, 4M or 1G" get --limit-rate "$value" "$URL"
        wrong "run: --limit-rate: $value: not a size: use 64K, 4M or 1G" run --limit-rate "$value" --get "a=$URL"
        wrong "download: --min-speed: $value: not a size: use 64K, 4M or 1G" download --min-speed "$value" o/r
    done
    wrong 'get: --max-wait: x: not a duration: use 500ms, 30s, 5m or 1h30m' get --max-wait x "$URL"
    wrong 'get: --color: maybe: not one of its words: use auto, always or never' get --color maybe "$URL"
}

@test "get: URLs and digests that are none" {
    wrong 'get: no URL given: use ajob get URL... or -i LIST' get
    wrong 'get: example.org: not a URL: it begins with https:// or http://' get example.org
    wrong 'get: ftp://example.org/x: only http:// and https:// are spoken' get ftp://example.org/x
    wrong 'get: file:///etc/passwd: only http:// and https:// are spoken' get file:///etc/passwd
    wrong 'get: http://a b/: a space or control character in it: write %20' get 'http://a b/'
    wrong 'get: http://a/\x0aHost: a space or control character in it: write %20' get $'http://a/\nHost'
    wrong 'get: http://: not a valid URL' get http://
    wrong 'get: http://[::1: not a valid URL' get 'http://[::1'
    wrong 'get: http://a:99999/: not a valid URL' get http://a:99999/
    wrong 'get: --sha256: 12: not a SHA-256 digest: use its 64 hexadecimal digits' get --sha256 12 "$URL"
    wrong 'get: --sha256: is for one URL, and there are 2: use --input-file for names, digests and mirrors' \
        get --sha256 "$(printf '0%.0s' {1..64})" "$URL" "${URL}b"
    wrong 'get: --output-file: is for one URL, and there are 2: use --input-file for names, digests and mirrors' get -o x "$URL" "${URL}b"
    wrong 'get: --output-file: -: standard output cannot be verified: use a file' get -o - "$URL"
    wrong 'get: --mirror: is for one URL, and there are 2: use --input-file for names, digests and mirrors' \
        get --mirror "${URL}c" "$URL" "${URL}b"
    wrong "get: $URL: x: not a URL: it begins with https:// or http://" get --mirror x "$URL"
    wrong "get: --require-digest: $URL: there is no digest: use --sha256, or a list with digests" get --require-digest "$URL"
    for path in x/ . .. x/..; do
        run_ajob get -o "$path" "$URL"
        assert_failure 2
        assert_stderr --partial "$path: not the path of a file"
    done
    wrong 'get: --header: not a header (not shown): use one line "Name: value"' get -H x "$URL"
    wrong 'get: --header: not a header (not shown): use one line "Name: value"' get -H ': x' "$URL"
    wrong 'get: --header: not a header (not shown): use one line "Name: value"' get -H 'A b: x' "$URL"
    wrong 'get: --header: not a header (not shown): use one line "Name: value"' get -H $'A: x\r\nB: y' "$URL"
}

@test "get: lists that are wrong, with the line" {
    wrong 'get: --input-file: nowhere: cannot be read: No such file or directory' get -i nowhere
    wrong 'get: --input-file: .: cannot be read: Is a directory' get -i .
    for line in 'nothing' $'http://a/b\tname\tsha256:12' $'http://a/b\tname\tdigest\tmore' $'http://a/\x01'; do
        printf '\n# x\n%s\n' "$line" >../list
        run_ajob get -i ../list
        assert_failure 2
        assert_stderr --regexp '^ajob: get: \.\./list:3: [^:]+'
        assert_equal "$(wc -l <"$AJOB_ERR")" 1
    done
    printf 'http://a/\0b\n' >../list
    wrong 'get: ../list:1: there is a NUL byte in it: not a text file' get -i ../list
    head -c 70000 /dev/zero | tr '\0' x >../list
    wrong 'get: ../list:1: the line is longer than 64K' get -i ../list
    : >../list
    run_ajob get -i ../list # nothing to do is no mistake
    assert_success
    assert_stderr 'ajob: get: --input-file: ../list: nothing to download: there is no URL in it'
    run_ajob get -q -i ../list
    assert_success
    refute_stderr
}

@test "download: repositories, tags and tokens" {
    wrong 'download: no repository given: use ajob download OWNER/REPO [TAG...]' download
    wrong 'download: repo: not a repository: write OWNER/REPO or its URL' download repo
    wrong 'download: operand 2 is empty: give a TAG' download o/r ''
    wrong 'download: --all: v1: tags are given too: use one of both' download -A o/r v1
    wrong 'download: --events: -: the list goes to standard output too: use a file' download --list --events - o/r
    wrong 'download: --token-file: nowhere: cannot be read: No such file or directory' download --token-file nowhere o/r
    printf ' \n' >../token
    wrong 'download: --token-file: ../token: holds no token' download --token-file ../token o/r
    printf 'se cret\n' >../token
    wrong 'download: --token-file: ../token: does not hold a token: it must be one printable word' download --token-file ../token o/r
    GH_TOKEN=$'a\nb' wrong 'download: GH_TOKEN: does not hold a token: it must be one printable word' download o/r
    assert_equal "$(grep -c 'se cret' "$AJOB_ERR")" 0
}

@test "directories and certificates that are none" {
    echo >../file
    wrong 'get: --dir: ../file: is not a directory' get -d ../file "$URL"
    wrong 'get: ../nowhere.pem: certificates cannot be read: No such file or directory' get --cacert ../nowhere.pem "$URL"
}

@test "the ways to write options" {
    start_server
    run_ajob get -qj4 -dout "$MAIN/f/a?size=1" --retries=2 --timeout 1m30s -- "$MAIN/f/b?size=1"
    assert_success
    assert_tree out a b
    run_ajob get -d out -- -x
    assert_failure 2
    assert_stderr --partial 'ajob: get: -x: not a URL'
}

@test "help, of all and of each, on stdout" {
    run_ajob --help
    assert_success
    assert_output --regexp '^Usage: ajob .*download.*get'
    refute_stderr
    local all=$output
    run_ajob help
    assert_output "$all"
    run_ajob -h
    assert_output "$all"
    for command in download get help completion; do
        run_ajob "$command" --help
        assert_success
        assert_output --regexp "^Usage: ajob $command"
        assert_equal "$(awk 'length > 80' "$AJOB_OUT")" ""
        local text=$output
        run_ajob help "$command"
        assert_output "$text"
    done
    run_ajob download --bad --help # the first mistake counts
    assert_failure 2
    run_ajob download o/r --help
    assert_success
}

@test "version" {
    run_ajob --version
    assert_success
    assert_equal "${lines[0]}" "ajob $(sed -n 's/^#define AJOB_VERSION "\(.*\)"/\1/p' "$PROJECT_DIR/lib/ajob.h")"
    assert_output --regexp $'\nlibcurl [0-9.]+ .*libuv [0-9.]+, cJSON [0-9.]+, OpenSSL '
}

@test "standard output that cannot be written is a failure" {
    for arguments in --help --version 'completion bash' 'help get'; do
        # shellcheck disable=SC2086
        "$AJOB" $arguments >/dev/full 2>err 3>&- && status=0 || status=$?
        assert_equal "$status" 1
        grep -q 'standard output: cannot be written: No space left on device' err
    done
    start_server '{"repos": {"o/r": {"releases": [{"tag": "v1", "assets": [{"name": "a"}]}]}}}'
    "$AJOB" download --list o/r >/dev/full 2>err 3>&- && status=0 || status=$?
    assert_equal "$status" 1
    grep -q 'standard output: cannot be written: No space left on device' err
}

@test "completion scripts are valid, and offer what there is" {
    for shell in bash zsh fish; do
        run_ajob completion "$shell"
        assert_success
        assert_output --partial download
        assert_output --partial max-wait
    done
    wrong 'completion: no shell given: use bash, zsh or fish' completion
    wrong 'completion: csh: unknown shell: use bash, zsh or fish' completion csh
    # bash tells.
    "$AJOB" completion bash >../complete
    complete_words() {
        bash --norc --noprofile -c '. ../complete; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            $(complete -p ajob | sed "s/.*-F \([^ ]*\).*/\1/") ajob "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf "%s\n" "${COMPREPLY[@]}"' _ "$@"
    }
    assert_equal "$(complete_words ajob down | tr -d ' ')" download
    # Specs and programs are files, of which bash completes the rest itself.
    local unknown='compopt() { [[ $* == *+o* ]] && printf "no "; }'
    sed -i "1i $unknown" ../complete
    assert_equal "$(complete_words ajob run ci)" ''
    assert_equal "$(complete_words ajob get ci)" 'no '
    assert_equal "$(complete_words ajob download --pat | tr -d ' ')" --pattern
    assert_equal "$(complete_words ajob get --progress '' | tr -d ' ' | sort | tr '\n' ' ')" 'auto bar lines none '
    # The command of each is a program, and what is behind it is that one's.
    assert_equal "$(complete_words ajob each -j 4 --tag mkfif)" mkfifo
    assert_equal "$(complete_words ajob each -j4 --output = group -- mkfif)" mkfifo
    assert_equal "$(complete_words ajob each mkfifo --out)" ''
    assert_equal "$(complete_words ajob each mkfifo --output '')" ''
    assert_equal "$(complete_words ajob each -a mkfifo --orde)" --ordered
}

@test "completions and manual pages are in step with the tables" {
    run "$PROJECT_DIR/tests/drift"
    ((status == 0)) || fail "$output"
    # What has drifted is found.
    cp -r "$PROJECT_DIR"/{completions,man} . && mkdir -p tests lib/spec &&
        cp "$PROJECT_DIR/lib/spec/ajob.schema.json" lib/spec && cp "$PROJECT_DIR/tests/drift" tests
    sed -i 's/max-wait/max-weight/' completions/ajob.bash
    run tests/drift
    ((status == 1))
    [[ $output == *max-weight* ]]
    tests/drift --fix
    cmp completions/ajob.bash "$PROJECT_DIR/completions/ajob.bash"
}

@test "the manual shows its examples and operands as they are typed" {
    local page example
    for page in "$PROJECT_DIR"/man/*.1; do
        mandoc -T ascii -O width=200 "$page" 2>/dev/null | col -bx >shown
        while IFS= read -r example; do
            grep -qF -- "$example" shown || {
                echo "$(basename "$page"): $example"
                false
            }
        done < <(sed -n 's/^\.D[1l] //p' "$page" |
            sed 's/^" *\(.*\)"$/\1/; s/\\&//g; s/\\(dq/"/g; s/\\e/\\/g')
    done
    mandoc -T ascii -O width=200 "$PROJECT_DIR/man/ajob.1" | col -bx >shown
    grep -qF '  each [CMD [ARG ...]] [::: ITEM ...]' shown
}

@test "AJOB_TRACE=state tells every change of state" {
    AJOB_TRACE=state run_ajob get -r 0 http://127.0.0.1:1/x
    assert_failure 1
    assert_stderr --regexp 'ajob: trace: [0-9]+ x \(get\): ready -> running'
    assert_stderr --regexp 'ajob: trace: [0-9]+ x \(get\): running -> ended: failed: Connection refused'
    run_ajob get -r 0 http://127.0.0.1:1/x
    refute_stderr --partial trace
}
