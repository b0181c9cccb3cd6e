# Owns what every bats file needs: a private place to work in, the fault server,
# ajob under watch, our own asserts, and the proof that nothing was left behind.
#
# A file begins with
#     load ../helpers
#     setup() { common_setup; }
#     teardown() { common_teardown; }
# Nothing here sleeps for luck: what has to be waited for is waited for, bounded.

bats_require_minimum_version 1.5.0

TESTS_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
PROJECT_DIR=$(dirname -- "$TESTS_DIR")
PYTHON=${PYTHON:-python3}
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=${BATS_RUN_TMPDIR-}/pycache
# How long anything may take before it counts as hung. Never a part of a test's meaning.
WAIT_LIMIT=${WAIT_LIMIT:-60}
# Background jobs of a shell ignore INT and QUIT; ajob starts as from a terminal.
AS_FROM_TERMINAL=(env "--default-signal=HUP,INT,QUIT,PIPE,TERM")

# --- setup and teardown ------------------------------------------------------

# The test runs in $WORK, with an environment of its own.
common_setup() {
    local name
    AJOB=${AJOB:-build/release/ajob}
    [[ $AJOB == /* ]] || AJOB=$PROJECT_DIR/$AJOB
    for name in $(compgen -e | grep -E '^(AJOB_|XDG_|CLICOLOR)'); do
        unset "$name"
    done
    unset GH_TOKEN GITHUB_TOKEN GH_HOST GITHUB_API_URL GITHUB_ACTIONS GITHUB_OUTPUT \
        GITHUB_STEP_SUMMARY CI NO_COLOR MAKEFLAGS MFLAGS MAKELEVEL CURL_CA_BUNDLE SSL_CERT_FILE \
        SSL_CERT_DIR http_proxy https_proxy ftp_proxy all_proxy no_proxy \
        HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY
    WORK=$BATS_TEST_TMPDIR/work
    AJOB_OUT=$BATS_TEST_TMPDIR/stdout
    AJOB_ERR=$BATS_TEST_TMPDIR/stderr
    SERVER_STATE=$BATS_TEST_TMPDIR/server
    export AJOB HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache # nobody looks at what is in it
    export LC_ALL=C TZ=UTC TERM=dumb
    export AJOB_TEST_ID=$BATS_SUITE_TEST_NUMBER.$$ # marks what comes from this test
    unset EXPECT_PART EXPECT_STRAY EXPECTED_STATUS AJOB_PID SERVER_RUNNING
    ulimit -c 0
    mkdir "$WORK" "$HOME" "$TMPDIR" "$SERVER_STATE"
    mkfifo "$BATS_TEST_TMPDIR/never"
    cd "$WORK" || return
}

# Stops the server; fails the test if it left anything behind.
common_teardown() {
    local faults=0 left
    [[ -n ${BATS_TEST_COMPLETED-} ]] || show_failure
    stop_server
    left=$(test_processes)
    if [[ -n $left ]]; then
        echo "left running:" && describe_processes "$left"
        # shellcheck disable=SC2086
        kill -KILL $left 2>/dev/null || true
        faults=1
    fi
    if [[ -z ${EXPECT_PART-} ]]; then
        none_left "partial files" find "$WORK" -name '*.part' -o -name '*.part.*' || faults=1
    fi
    if [[ -z ${EXPECT_STRAY-} ]]; then
        none_left "files outside" find "$HOME" "$TMPDIR" -mindepth 1 || faults=1
    fi
    none_left "errors of the fault server" cat_if_there "$SERVER_STATE/stderr" || faults=1
    return $faults
}

# This test leaves *.part files, rightly. (Checked by the test, not here.)
expect_part() { EXPECT_PART=1; }

# This test writes into HOME or TMPDIR, rightly.
expect_stray() { EXPECT_STRAY=1; }

# expect_status N...: these exit statuses above 124 are no crash.
expect_status() { EXPECTED_STATUS+=" $* "; }

none_left() { # WHAT COMMAND...: the command prints nothing
    local what=$1 found
    found=$("${@:2}")
    [[ -z $found ]] || { printf '%s:\n%s\n' "$what" "$found" && return 1; }
}

cat_if_there() { [[ ! -e $1 ]] || cat "$1"; }

show_failure() {
    if [[ -s $SERVER_STATE/requests.jsonl ]]; then
        echo "the last requests:" && last_requests
    fi
    if [[ -s $AJOB_ERR ]]; then
        echo "stderr of the last ajob:" && tail -n 40 "$AJOB_ERR"
    fi
}

# --- processes ---------------------------------------------------------------

# The pids that come from this test: by a mark in the environment, or, should one
# have cleared that, by the working directory. Linux only. Not for a pipeline, whose
# other end would be found too.
test_processes() (
    own=" $(ancestors "$BASHPID")"
    mark=AJOB_TEST_ID=$AJOB_TEST_ID
    unset AJOB_TEST_ID
    cd / || exit
    {
        grep -lzxF "$mark" /proc/[0-9]*/environ
        find /proc/[0-9]*/cwd -maxdepth 0 -lname "$BATS_TEST_TMPDIR*"
    } 2>/dev/null | cut -d/ -f3 | sort -un | while read -r pid; do
        [[ $own == *" $pid "* || ! -e /proc/$pid ]] || echo "$pid"
    done
)

ancestors() { # PID: itself and those above it
    local pid=$1 rest
    while ((pid > 1)); do
        printf '%d ' "$pid"
        rest=$(<"/proc/$pid/stat") || return 0
        rest=${rest##*) } # the name may hold anything
        pid=${rest:2}
        pid=${pid%% *}
    done
}

describe_processes() { # PID...
    local pid
    # shellcheck disable=SC2068
    for pid in $@; do
        printf '  %s: %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
    done 2>/dev/null
}

no_test_processes() { [[ -z $(test_processes) ]]; }

# wait_until SECONDS COMMAND...: until it succeeds; fails when the time is over.
wait_until() {
    local limit=$((${EPOCHREALTIME//[!0-9]/} + $1 * 1000000))
    until "${@:2}"; do
        ((${EPOCHREALTIME//[!0-9]/} < limit)) || fail "not within $1 s: ${*:2}" || return
        read -rt 0.01 <>"$BATS_TEST_TMPDIR/never" || true # nobody writes there
    done
}

# with_time CONDITION COMMAND...: calls it with a time at its end, a longer one should
# the condition not hold after it: what had to be done before a timeout took too long.
# Sets limit.
with_time() {
    for limit in 200ms 2s 20s; do
        "${@:2}" "$limit"
        ! $1 || return 0
    done
}

process_over() { # PID: gone, or a zombie
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    [[ ${stat##*) } == Z* ]]
}

# --- ajob --------------------------------------------------------------------

# run_ajob ARG...: sets status, output, stderr, lines; the exact bytes are in
# $AJOB_OUT and $AJOB_ERR. Any exit status is fine, a crash is not; one that hangs
# is aborted. What it leaves behind is found at teardown. stdin is the caller's.
run_ajob() {
    "${AS_FROM_TERMINAL[@]}" timeout --foreground --preserve-status -s ABRT -k 5 "$WAIT_LIMIT" \
        "$AJOB" "$@" >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- && status=0 || status=$?
    collect_ajob
}

# start_ajob ARG...: in the background, as AJOB_PID, for signals; wait_ajob ends it.
# stdin is the caller's too (a shell would give it /dev/null if this did not say so).
start_ajob() {
    : >"$AJOB_OUT" 2>"$AJOB_ERR" # there, and empty, also if it is killed before it begins
    "${AS_FROM_TERMINAL[@]}" "$AJOB" "$@" <&0 >"$AJOB_OUT" 2>"$AJOB_ERR" 3>&- &
    AJOB_PID=$!
}

# Waits for it, and sets what run_ajob sets.
wait_ajob() {
    if ! wait_until "$WAIT_LIMIT" process_over "$AJOB_PID"; then
        kill -ABRT "$AJOB_PID"
    fi
    wait "$AJOB_PID" && status=0 || status=$?
    collect_ajob
}

collect_ajob() {
    { output=$(<"$AJOB_OUT") && stderr=$(<"$AJOB_ERR"); } 2>/dev/null
    mapfile -t lines <<<"$output"
    assert_not_crashed
}

# After `run` too: no sanitizer's report, no status that only a crash explains.
assert_not_crashed() {
    local report='AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed'
    [[ ! ${stderr-}${output-} =~ $report ]] || fail_with_output "a report of a crash" || return
    ((status < 125)) || [[ ${EXPECTED_STATUS-} == *" $status "* ]] ||
        fail_with_output "crashed or hung: status $status (expect_status $status if that is right)"
}

# There is no check of ajob's descriptors here: a debug build aborts by itself when
# anything is alive at its exit, and assert_not_crashed sees that.

# --- asserts -----------------------------------------------------------------

fail() {
    printf '%s\n' "$@" >&2
    return 1
}

fail_with_output() {
    fail "$@" "status: $status" "stdout: ${output-}" "stderr: ${stderr-}"
}

assert_success() { ((status == 0)) || fail_with_output "expected success"; }

assert_failure() { # [STATUS]
    if (($#)); then
        ((status == $1)) || fail_with_output "expected status $1"
    else
        ((status != 0)) || fail_with_output "expected failure"
    fi
}

text_matches() { # TEXT [--partial|--regexp] WANTED
    case $2 in
    --partial) [[ $1 == *"$3"* ]] ;;
    --regexp) [[ $1 =~ $3 ]] ;;
    *) [[ $1 == "$2" ]] ;;
    esac
}

# assert_output TEXT | --partial TEXT | --regexp REGEX; the same for stderr
assert_output() { text_matches "$output" "$@" || fail_with_output "expected stdout: $*"; }
assert_stderr() { text_matches "$stderr" "$@" || fail_with_output "expected stderr: $*"; }

# Without an argument: nothing at all.
refute_output() {
    (($#)) || set -- --regexp .
    ! text_matches "$output" "$@" || fail_with_output "unexpected stdout: $*"
}
refute_stderr() {
    (($#)) || set -- --regexp .
    ! text_matches "$stderr" "$@" || fail_with_output "unexpected stderr: $*"
}

assert_line() { # TEXT: a whole line of stdout
    local line
    for line in "${lines[@]}"; do
        [[ $line != "$1" ]] || return 0
    done
    fail_with_output "expected this line on stdout: $1"
}

assert_equal() { [[ $1 == "$2" ]] || fail "expected: $2" "     got: $1"; }

assert_exists() { [[ -e $1 ]] || fail "does not exist: $1" "there is:" "$(find . -mindepth 1)"; }

refute_exists() { [[ ! -e $1 && ! -L $1 ]] || fail "exists: $1"; }

assert_body() { # FILE SEED SIZE
    body "$2" "$3" | cmp - "$1" || fail "$1 is not the body $2 $3"
}

# tree [DIR]: the names of the files in it, sorted, directories that are empty with a slash
tree() { (cd "${1:-.}" && find . -mindepth 1 \( -type d -empty -printf '%P/\n' \) -o \( ! -type d -printf '%P\n' \) | sort); }

assert_tree() { # DIR NAME...: these files are in it, and nothing else
    local found
    found=$(tree "$1")
    [[ $found == "$(printf '%s\n' "${@:2}" | sort)" ]] ||
        fail "expected in $1: ${*:2}" "there is:" "$found"
}

assert_requests() { # COUNT [PATTERN]
    local count
    count=$(count_requests "${2-}")
    ((count == $1)) || fail "expected $1 requests '${2-}', got $count:" "$(last_requests)"
}

# events FILE [EXPR [FIELD...]]: those that EXPR (Python, over the fields) holds for
events() { "$PYTHON" "$TESTS_DIR/events.py" "$1" --where "${2:-True}" -- "${@:3}"; }

# assert_events FILE [--cut]: they are a whole record of a run, as ajob(1) says
assert_events() { "$PYTHON" "$TESTS_DIR/events.py" "$1" --check "${@:2}" || fail "events: $1"; }

# free_ports COUNT: on which nobody listens now; below those that a system gives to
# whoever asks for any (ip(7): ip_local_port_range), so that nobody gets them by chance.
free_ports() {
    "$PYTHON" -c 'import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    try:
        found.append(socket.create_server(("127.0.0.1", random.randrange(10000, 32000))))
    except OSError:
        pass
print(*[s.getsockname()[1] for s in found])' "$1"
}

# --- the fault server --------------------------------------------------------

# start_server [FIXTURE-JSON] [--tls]: sets MAIN, STORAGE, SERVER_STATE; with --tls
# TLS, STORAGE_TLS, CA; with a fixture GITHUB_API_URL. What URLs and fixtures can
# say: tests/server/faults.py and fixture.py.
start_server() {
    local ports arguments=(--state "$SERVER_STATE")
    while (($#)); do
        if [[ $1 == --tls ]]; then
            arguments+=(--tls)
        else
            set_fixture "$1"
            arguments+=(--github "$SERVER_STATE/fixture.json")
        fi
        shift
    done
    # A coprocess, for its descriptors do not pass to other children: the server
    # sees its stdin end when this shell does.
    coproc FAULT_SERVER {
        unset AJOB_TEST_ID
        cd / && exec "$PYTHON" "$TESTS_DIR/server/faultserver.py" "${arguments[@]}" \
            2>>"$SERVER_STATE/stderr" 3>&-
    }
    SERVER_RUNNING=$FAULT_SERVER_PID
    disown "$SERVER_RUNNING" # a bare wait does not wait for it
    read -rt "$WAIT_LIMIT" -u "${FAULT_SERVER[0]}" ports ||
        fail "the fault server did not start" "$(cat "$SERVER_STATE/stderr")" || return
    MAIN=http://127.0.0.1:$(port_of main)
    STORAGE=http://127.0.0.1:$(port_of storage)
    if [[ -n $(port_of tls) ]]; then
        TLS=https://127.0.0.1:$(port_of tls)
        STORAGE_TLS=https://127.0.0.1:$(port_of storage_tls)
        CA=$SERVER_STATE/ca.pem
    fi
    export MAIN STORAGE TLS STORAGE_TLS CA
    if [[ -e $SERVER_STATE/fixture.json ]]; then
        export GITHUB_API_URL=$MAIN
    fi
}

port_of() { [[ ! $ports =~ \"$1\":\ ([0-9]+) ]] || echo "${BASH_REMATCH[1]}"; }

stop_server() {
    [[ -n ${SERVER_RUNNING-} ]] || return 0
    kill -TERM "$SERVER_RUNNING" 2>/dev/null || true
    wait_until "$WAIT_LIMIT" process_over "$SERVER_RUNNING"
    unset SERVER_RUNNING
}

# set_fixture JSON: also while the server runs; it sees it at the next request.
set_fixture() {
    printf '%s\n' "$1" >"$SERVER_STATE/fixture.json.new"
    mv "$SERVER_STATE/fixture.json.new" "$SERVER_STATE/fixture.json"
}

# The log. PATTERN is a regular expression, searched in
# "LISTENER METHOD TARGET begun|held", at last "LISTENER METHOD TARGET STATUS OUTCOME".
log_read() {
    if [[ -n ${SERVER_RUNNING-} ]]; then
        ask_server _log "$@"
    else
        "$PYTHON" "$TESTS_DIR/server/logread.py" "$SERVER_STATE" "$@"
    fi
}

# ask_server PATH [ARGUMENT...]: what a program would print, without starting one
ask_server() {
    local target="$1?" argument connection line code=1
    for argument in "${@:2}"; do
        percent_encode "$argument"
        target+="&a=$encoded"
    done
    exec {connection}<>"/dev/tcp/127.0.0.1/${MAIN##*:}" || return
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$target" >&"$connection"
    while IFS= read -r line <&"$connection" && [[ $line != $'\r' ]]; do
        [[ $line != X-Status:* ]] || code=${line//[!0-9]/}
    done
    if ((code)); then
        cat <&"$connection" >&2
    else
        cat <&"$connection"
    fi
    exec {connection}>&-
    return "$code"
}

percent_encode() { # TEXT: sets encoded
    local i character
    encoded=
    for ((i = 0; i < ${#1}; i++)); do
        character=${1:i:1}
        [[ $character == [A-Za-z0-9/._-] ]] || printf -v character '%%%02X' "'$character"
        encoded+=$character
    done
}

# requests [PATTERN [FIELD...]]: as JSON, or these fields (headers.range) of each
requests() { log_read --match "${1-}" -- "${@:2}"; }

# requests_where EXPR [FIELD...]: EXPR in Python: 'status == 206 and sent < 100'
requests_where() { log_read --where "$1" -- "${@:2}"; }

last_requests() { requests . listener method target headers.range status sent outcome | tail -n 40; }

count_requests() { log_read --match "${1-}" --count; }

# max_inflight [PATTERN]: how many were in progress at once, on one listener
max_inflight() { log_read --match "${1-}" --max inflight_here; }

# wait_for_request PATTERN [COUNT]: until so many have begun (or, with " held$" or
# " 200 ok$" at the pattern's end, are held back, have ended)
wait_for_request() { log_read --match "$1" --wait "${2:-1}" --timeout "$WAIT_LIMIT"; }

# open_latch NAME: lets go what latch=NAME holds back, now and later
open_latch() { ask_server "_latch/$1/open"; }

# body SEED SIZE: the bytes; body_sha256: their digest
body() {
    if [[ -n ${SERVER_RUNNING-} ]]; then
        ask_server _body "$@"
    else
        "$PYTHON" "$TESTS_DIR/server/body.py" "$@"
    fi
}
body_sha256() { body --sha256 "$1" "$2"; }

# on_small_disk SIZE COMMAND...: with a tmpfs of that size at ./small, in a mount
# namespace of its own. In a chroot that is no mount itself the namespace cannot be
# made private, so the tmpfs is taken away again.
on_small_disk() {
    local namespace=(unshare -m)
    ((EUID == 0)) || namespace=(unshare -rm)
    "${namespace[@]}" true 2>/dev/null || namespace+=(--propagation unchanged)
    mkdir -p small
    # shellcheck disable=SC2016
    "${namespace[@]}" sh -c 'mount -t tmpfs -o size="$1" tmpfs small && shift || exit
        "$@"
        status=$?
        umount small
        exit "$status"' _ "$@"
}
