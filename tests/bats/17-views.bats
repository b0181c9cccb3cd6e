# What a person sees: lines in a pipe, bars on a terminal, and how to have less.

load ../helpers

setup() { common_setup; }
teardown() {
    tmux_run kill-server || true
    wait_until "$WAIT_LIMIT" no_tmux
    common_teardown
}

# --- a terminal --------------------------------------------------------------

tmux_run() { TMUX='' tmux -f /dev/null -S "$BATS_TEST_TMPDIR/tmux" "$@" 2>/dev/null 3>&-; }

no_tmux() { ! tmux_run has-session; }

# on_terminal COLUMNSxROWS COMMAND: a shell's command line, on a terminal of this
# size; the shell itself lives on after a Ctrl-C
on_terminal() {
    tmux_run new-session -d -x "${1%x*}" -y "${1#*x}" "cd '$WORK'; export TERM=screen; trap : INT; $2; echo \"status \$?\"; read -r _"
}

screen() { tmux_run capture-pane -p; }

# sees REGEX: until the screen matches
sees() {
    screen_matches() { [[ $(screen) =~ $1 ]]; }
    wait_until 60 screen_matches "$1" || fail "the screen:" "$(screen)"
}

# --- lines -------------------------------------------------------------------

@test "in a pipe: a line for each end, and nothing else" {
    start_server
    run_ajob get "$MAIN/f/a?size=10&seed=1" "$MAIN/f/b?status=404"
    assert_failure 1
    refute_output
    assert_equal "$(sort <<<"$stderr" | sed -E 's/[0-9.]+m?s/TIME/; s/\([0-9.]+ .*B\/s\)/(RATE)/')" "$(printf '%s\n' \
        '1 downloaded, 1 failed, 10 B in TIME (RATE)' "ajob: get: $MAIN/f/b: HTTP 404 (Not Found)" 'downloaded a  10 B  TIME')"
    assert_equal "$(grep -c $'\033\|\r' "$AJOB_ERR")" 0
}

@test "--quiet shows failures only, --progress none no lines but the verdict" {
    start_server
    run_ajob get -q "$MAIN/f/a?size=10" "$MAIN/f/b?status=404" "$MAIN/f/c?status=503&times=1&size=5" --retry-delay 1ms
    assert_failure 1
    assert_stderr "ajob: get: $MAIN/f/b: HTTP 404 (Not Found)"
    run_ajob get -q "$MAIN/f/d?size=10"
    assert_success
    refute_stderr
    run_ajob get --progress none "$MAIN/f/e?size=10" "$MAIN/f/b?status=404"
    assert_failure 1
    assert_stderr --partial "ajob: get: $MAIN/f/b: HTTP 404 (Not Found)"
    assert_stderr --partial '1 downloaded, 1 failed'
    refute_stderr --partial 'downloaded e'
}

@test "--verbose shows starts, attempts and cancellations too" {
    start_server
    run_ajob get -v --fail-fast -j 1 --retry-delay 1ms "$MAIN/f/a?status=503&times=1&size=1" "$MAIN/f/b?status=404" "$MAIN/f/c?size=1"
    assert_failure 1
    assert_stderr --partial 'starting 3 tasks'
    assert_stderr --partial 'started a'
    assert_stderr --regexp 'retrying a (at once|in [0-9]+ms) \(attempt 2\): HTTP 503'
    assert_stderr --partial 'cancelled c: by sibling b'
}

@test "failures are said again if much was said since" {
    start_server
    local urls=()
    for i in {1..15}; do urls+=("$MAIN/f/$i?size=1"); done
    run_ajob get -j 1 "$MAIN/f/a?status=404" "${urls[@]}"
    assert_failure 1
    assert_equal "$(grep -c "^ajob: get: $MAIN/f/a: HTTP 404 (Not Found)\$" "$AJOB_ERR")" 2
    assert_equal "$(tail -n 2 "$AJOB_ERR" | head -n 1)" "ajob: get: $MAIN/f/a: HTTP 404 (Not Found)"
}

@test "the run's timeout says what was still running" {
    run_ajob gather -q --timeout 10ms --grace 10ms 'sleep 60'{,,,,,} --name one
    assert_failure 124
    assert_stderr --regexp '^ajob: gather: timeout 10ms: still running: ([0-9a-z]+, ){3}[0-9a-z]+ and 2 more$'
    start_server
    one_is_there() { [[ -e b ]]; }
    with_time one_is_there run_ajob get "$MAIN/f/a?size=10&latch=never" "$MAIN/f/b?size=10" --timeout
    assert_failure 124
    assert_stderr --partial "ajob: get: timeout $limit: still running: a"$'\n'
}

@test "what fails is called as it was asked for: by its URL, by its task, a release by its name" {
    start_server '{"repos": {"o/r": {"releases": []}}}'
    run_ajob get "$MAIN/f/a?status=404"
    assert_stderr --partial "ajob: get: $MAIN/f/a: HTTP 404"
    run_ajob run --get "data=$MAIN/f/a?status=404"
    assert_stderr --partial "ajob: run: data: $MAIN/f/a: HTTP 404"
    run_ajob download o/r
    assert_stderr --partial 'ajob: download: o/r: latest release: the repository has none'
    run_ajob download o/r v9
    assert_stderr --regexp '^ajob: download: o/r: release v9: '
}

@test "colors: never in a pipe, unless asked for; NO_COLOR, CLICOLOR_FORCE" {
    start_server
    local url="$MAIN/f/a?status=404" red=$'\033[31m'"ajob: get: $MAIN/f/a: HTTP 404 (Not Found)"$'\033[m'
    run_ajob get "$url"
    refute_stderr --partial $'\033'
    run_ajob get --color always "$url"
    assert_stderr --partial "$red"
    CLICOLOR_FORCE=1 run_ajob get "$url"
    assert_stderr --partial "$red"
    CLICOLOR_FORCE=1 NO_COLOR=1 run_ajob get "$url"
    refute_stderr --partial $'\033'
    NO_COLOR=1 run_ajob get --color always "$url" # who asks is asked
    assert_stderr --partial "$red"
    run_ajob get --color never "$url"
    refute_stderr --partial $'\033'
}

@test "what cannot be said does not stop the work" {
    start_server
    "$AJOB" get "$MAIN/f/a?size=10" 2>/dev/full 3>&-
    assert_tree . a
    "$AJOB" get "$MAIN/f/b?size=10" 2>&- 3>&-
    assert_tree . a b
    run "$AJOB" get "$MAIN/f/c?status=404" 2>/dev/full 3>&-
    assert_failure 1
    "$AJOB" get "$MAIN/f/d?size=10" <&- >&- 2>&- 3>&-
    assert_tree . a b d
    assert_equal "$(cat a | wc -c)" 10 # nothing was said into a file
}

@test "who reads stderr slowly, or not at all, holds nobody up" {
    start_server
    local urls=()
    mkfifo pipe
    exec 4<>pipe # has a reader that never reads
    for i in {1..400}; do urls+=("$MAIN/f/$i?status=404&body=$(printf 'x%.0s' {1..200})"); done
    "$AJOB" get -r 0 --events events "${urls[@]}" 2>pipe >/dev/null 3>&- &
    AJOB_PID=$!
    all_ended() { [[ -e events && $(grep -c task.ended events) == 400 ]]; }
    wait_until 60 all_ended
    cat <&4 >/dev/null 3>&- & # the rest is waited for
    local reader=$!
    wait_until 60 process_over "$AJOB_PID"
    kill "$reader"
    exec 4<&-
}

# --- bars --------------------------------------------------------------------

@test "bars on a terminal, and only the log afterwards" {
    start_server
    on_terminal 100x20 "'$AJOB' get --segments 1 '$MAIN/f/a?size=10M&latch=go&latch_at=5M' '$MAIN/f/b?size=10&latch=go' '$MAIN/f/c?status=404'"
    sees "ajob: get: $MAIN/f/c: HTTP 404 \(Not Found\)"$'\na +#+\.+ +50% +5\.0 MiB.*\nb .*\n1/3 done  5\.0 MiB.* 1 failed'
    open_latch go
    sees 'status 1'
    assert_equal "$(screen | sed -E 's/[0-9.]+m?s/TIME/; s/\([0-9.]+ .*B\/s\)/(RATE)/; /^$/d' | sort)" "$(printf '%s\n' \
        '2 downloaded, 1 failed, 10.0 MiB in TIME (RATE)' "ajob: get: $MAIN/f/c: HTTP 404 (Not Found)" \
        'downloaded a  10.0 MiB  TIME' 'downloaded b  10 B  TIME' 'status 1')"
    assert_equal "$(tmux_run display-message -p '#{cursor_flag}')" 1
}

@test "bars follow the window's width" {
    start_server
    on_terminal 100x20 "'$AJOB' get --segments 1 '$MAIN/f/a-rather-long-name-of-a-file.tar.gz?size=10M&latch=go&latch_at=5M'; exec sleep 1000"
    sees 'a-rather-long-name-of-a-file.tar.gz +#+\.+ +50% '
    tmux_run resize-window -x 40 -y 10
    narrow() {
        local text
        text=$(screen)
        [[ $text == *50%* && $(grep -c . <<<"$text") == 2 ]]
    }
    wait_until 60 narrow || fail "$(screen)"
    tmux_run resize-window -x 120 -y 10
    sees 'a-rather-long-name-of-a-file.tar.gz +#+\.+ +50% '
    assert_equal "$(screen | grep -c .)" 2
    open_latch go
    sees $'^downloaded a-rather.*\n1 downloaded'
}

@test "Ctrl-C on a terminal: no bar is left, the shell is told" {
    start_server
    expect_part
    on_terminal 80x20 "'$AJOB' get --segments 1 '$MAIN/f/a?size=10M&latch=go&latch_at=5M'"
    sees ' 50% '
    tmux_run send-keys C-c
    sees 'status 130'
    [[ $(screen) == *'ajob: get: cancelling: SIGINT'$'\n''1 cancelled in '* ]] || fail "$(screen)"
    assert_equal "$(screen | grep -c '%')" 0
    assert_exists a.part
}

@test "hostile names do nothing to a terminal" {
    start_server '{"token": "t", "repos": {"o/r": {"releases": [{"tag": "v1", "assets": [
        {"name": "\u001b[2J\u001b[5;5Hx\u0007\r\nsecond", "size": "10M", "query": "latch=go&latch_at=5M"}]}]}}}'
    on_terminal 100x20 "GH_TOKEN=t GITHUB_API_URL=$MAIN '$AJOB' download --segments 1 o/r"
    sees '^v1/\\x1b\[2J\\x1b\[5;\.\.\.07\\x0d\\x0asecond #+\.+ +50%'
    open_latch go
    sees 'status 0'
}

@test "no bars where a terminal is not one for people: CI, TERM=dumb, --progress lines" {
    start_server
    for how in CI=1 TERM=dumb GITHUB_ACTIONS=true --progress=lines; do
        local variable=X= option=''
        [[ $how == --* ]] && option=$how || variable=$how
        on_terminal 100x20 "env $variable '$AJOB' get -v $option '$MAIN/f/a?size=1M&latch=$how&latch_at=500K'"
        wait_for_request "latch=$how.* held$"
        sees '^starting 1 task'$'\n''started a'
        open_latch "$how"
        sees 'status 0'
        assert_equal "$(screen | grep -c '%')" 0
        assert_equal "$(screen | grep -c '^started a')" 1
        tmux_run kill-server
        wait_until "$WAIT_LIMIT" no_tmux
        rm a
    done
}
