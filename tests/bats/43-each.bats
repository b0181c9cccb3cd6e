# each: one task for each item of a list, a range, or the lines of a command.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

spec() { cat >"${1:-spec.json}"; }

ended() { events events "event == 'task.ended' and (${1:-True})" task status | sort; }

cause_of() { events events "event == 'task.ended' and task == '$1'" cause; }

@test "a list: its items by number, with values of their own" {
    spec <<'END'
    {"tasks": {
      "p": {"exec": ["printf", "late one"]},
      "e": {"each": ["a", "", "-x y", "${p.stdout}", "${var.v}"],
            "do": {"sh": "printf '<%s>' \"$I\" >out.$N", "env": {"I": "${item}", "N": "${item}"}, "dir": "."}},
      "empty": {"each": [], "do": "touch never"},
      "after": {"needs": ["e", "empty"], "sh": "ls out.* >after"}
    }}
END
    run_ajob run --set v=set --events events spec.json
    assert_success
    assert_equal "$(cat out.*)" "<><-x y><a><late one><set>"
    assert_equal "$(ended '"/" in task')" "$(printf 'e/%d\tsucceeded\n' 1 2 3 4 5)"
    assert_equal "$(wc -l <after)" 5
    refute_exists never
}

@test "a range: both ends are in it; downwards and empty ones" {
    spec <<'END'
    {"tasks": {
      "up": {"each": {"from": -1, "to": 1}, "do": {"exec": ["touch", "up${item}"]}},
      "down": {"each": {"from": 10, "to": 1, "step": -4}, "do": {"exec": ["touch", "down${item}"]}},
      "one": {"each": {"from": 7, "to": 7}, "do": {"exec": ["touch", "one${item}"]}},
      "none": {"each": {"from": 1, "to": 0}, "do": {"exec": ["touch", "none${item}"]}}
    }}
END
    run_ajob run --events events spec.json
    assert_success
    assert_equal "$(tree . | grep -v '[a-z]$')" "$(printf '%s\n' down10 down2 down6 one7 up-1 up0 up1)"
    assert_equal "$(events events 'event == "run.started"' tasks)" 7
}

@test "lines come while the command that prints them runs, and that holds no slot" {
    mkfifo go
    spec <<'END'
    {"jobs": 1, "tasks": {
      "list": "echo first; read x <go; printf 'second\\n\\nlast'",
      "e": {"each": {"lines": "list"}, "do": {"sh": "echo \"$I\" >>log; [ $I != first ] || echo >go",
            "env": {"I": "${item}"}}}
    }}
END
    run_ajob run --events events spec.json
    assert_success
    assert_equal "$(<log)" $'first\nsecond\nlast' # the empty line is none
    assert_equal "$(ended '"/" in task')" "$(printf 'e/%d\tsucceeded\n' 1 2 3)"
}

@test "lines of any bytes and of many lengths; one too long fails the each after the others" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "list": "printf 'a\\377b\\n'; head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'n\\000l\\nend'",
      "e": {"each": {"lines": "list"}, "policy": "settled",
            "do": {"sh": "printf %s \"$I\" | wc -c >>log", "env": {"I": "${item}"}}},
      "long": "echo short; head -c 131073 /dev/zero | tr '\\0' x; echo; echo never",
      "f": {"each": {"lines": "long"}, "do": {"sh": "sleep 0.1; echo $I >>short", "env": {"I": "${item}"}}},
      "most": "head -c 131072 /dev/zero | tr '\\0' x",
      "g": {"each": {"lines": "most"}, "do": {"group": {"x": {"sleep": 0}}}}
    }}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(sort -n log | tr -d ' ' | tr '\n' ' ')" "3 3 100000 "
    assert_equal "$(cause_of e/3)" "the item has a NUL byte in it, which cannot be in an argument"
    assert_equal "$(cause_of f)" "long: a line is longer than 128 KiB, which cannot be an item"
    assert_equal "$(<short)" short
    assert_equal "$(ended 'task.split("/")[0] in ("f", "g")')" \
        "$(printf '%s\t%s\n' f failed f/1 succeeded g succeeded g/1 succeeded g/1/x succeeded)"
}

@test "a command that fails fails the each after the items that came" {
    mkfifo go
    spec <<'END'
    {"policy": "settled", "tasks": {
      "list": "echo a; echo b; echo >go; exit 5",
      "e": {"each": {"lines": "list"}, "do": {"sh": "[ $I = a ] || read x <go; sleep 0.1; echo $I >>log",
            "env": {"I": "${item}"}}},
      "may": {"sh": "echo c; exit 6", "allow_failure": true},
      "f": {"each": {"lines": "may"}, "do": {"sh": "echo $I >>log", "env": {"I": "${item}"}}},
      "missing": {"exec": ["./missing"]},
      "h": {"each": {"lines": "missing"}, "do": "touch never"},
      "after": {"sh": "touch after", "needs": ["e"]}
    }}
END
    run_ajob run -j 8 --events events spec.json
    assert_failure 1
    assert_equal "$(sort log)" $'a\nb\nc'
    assert_equal "$(cause_of e)" "list failed: exit 5"
    assert_equal "$(cause_of after)" "e failed: list failed: exit 5"
    assert_equal "$(ended 'task in ("e/1", "e/2", "f", "f/1", "h")')" \
        "$(printf '%s\t%s\n' e/1 succeeded e/2 succeeded f succeeded f/1 succeeded h failed)"
}

@test "an each that fails lets the command go on" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "list": "echo a; yes | head -c 5000000; touch whole",
      "e": {"each": {"lines": "list"}, "do": "exit 1"}
    }}
END
    run_ajob run -q --events events spec.json
    assert_failure 1
    assert_exists whole
    assert_equal "$(ended 'task in ("list", "e")')" "$(printf '%s\t%s\n' e failed list succeeded)"
}

@test "a command is read no faster than its items run" {
    spec <<'END'
    {"tasks": {
      "list": {"exec": ["awk", "BEGIN { x = \"x\"; while (length(x) < 20000) x = x x; for (i = 1; i <= 400; i++) { print x; fflush(); print i >\"at\"; close(\"at\") } }"]},
      "e": {"each": {"lines": "list"}, "limit": 1, "do": {"sh": "[ -e seen ] || { sleep 1; cat at >seen; }", "env": {"I": "${item}"}}}
    }}
END
    run_ajob run -q spec.json
    assert_success
    # 1 MiB ahead, what is in the pipe, and a window of items
    (($(<seen) < 200)) || fail "$(<seen) lines were printed while the first item ran"
    assert_equal "$(<at)" 400
}

@test "the same lines for two, as a value too, and after another attempt: not streamed" {
    spec <<'END'
    {"tasks": {
      "list": "echo a; echo b",
      "e": {"each": {"lines": "list"}, "do": {"sh": "echo $I >>e", "env": {"I": "${item}"}}},
      "f": {"each": {"lines": "list"}, "do": {"sh": "echo $I >>f", "env": {"I": "${item}"}}},
      "v": {"sh": "echo \"$V\" >v", "env": {"V": "${list.stdout}"}},
      "again": {"sh": "echo x; [ -e again ] || { touch again; exit 1; }", "retry": {"max": 1, "delay": "1ms"}},
      "g": {"each": {"lines": "again"}, "do": {"sh": "echo $I >>g", "env": {"I": "${item}"}}}
    }}
END
    run_ajob run spec.json
    assert_success
    assert_equal "$(sort e)" $'a\nb'
    assert_equal "$(sort f)" $'a\nb'
    assert_equal "$(<v)" $'a\nb'
    assert_equal "$(<g)" x
}

@test "groups and eaches in an each: names below the number, items of their own" {
    spec <<'END'
    {"tasks": {
      "outer": "echo one; echo two",
      "e": {"each": {"lines": "outer"}, "env": {"O": "${env.SET}"}, "do": {"env": {"I": "${item}"}, "group": {
        "x": {"exec": ["printf", "%s", "x-${item}"]},
        "y": {"sh": "echo $I $X $O >>log", "env": {"X": "${x.stdout}"}},
        "l": {"sh": "echo $I.1; echo $I.2"},
        "z": {"each": {"lines": "l"}, "do": {"sh": "echo $I $J $K >>log", "env": {"J": "${item}", "K": "${x.stdout}"}}, "needs": ["y"]},
        "w": {"each": ["${item}+"], "do": {"each": ["<${item}>"], "do": {"sh": "echo $I $J >>log", "env": {"J": "${item}"}}}}
      }}}
    }}
END
    SET=set run_ajob run --events events spec.json
    assert_success
    assert_equal "$(LC_ALL=C sort log)" "$(LC_ALL=C sort <<'END'
one x-one set
one one.1 x-one
one one.2 x-one
one <one+>
two x-two set
two two.1 x-two
two two.2 x-two
two <two+>
END
    )"
    assert_equal "$(ended 'task.startswith("e/1")')" "$(printf 'e/1%s\tsucceeded\n' '' /l /w /w/1 /w/1/1 /x /y /z /z/1 /z/2)"
}

@test "policies and limits hold for items; a retried group begins its each again" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "all": {"each": ["1", "0", "1"], "limit": 1, "do": {"sh": "exit $I", "env": {"I": "${item}"}}},
      "settled": {"each": ["0", "1", "0"], "limit": 1, "policy": "settled", "do": {"sh": "exit $I", "env": {"I": "${item}"}}},
      "any": {"each": ["1", "0", "1"], "limit": 1, "policy": "any", "do": {"sh": "exit $I", "env": {"I": "${item}"}}},
      "group": {"retry": {"max": 1, "delay": "1ms"}, "group": {
        "l": "echo 1; echo 2; echo 3",
        "e": {"each": {"lines": "l"}, "do": {"sh": "echo $I >>items", "env": {"I": "${item}"}}},
        "f": {"needs": ["e"], "sh": "[ -e second ] || { touch second; exit 1; }"}}},
      "each": {"each": ["a", "b"], "retry": {"max": 1, "delay": "1ms"}, "policy": "settled",
               "do": {"sh": "echo $I >>tries; [ $(grep -c $I tries) = 2 ]", "env": {"I": "${item}"}}}
    }}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(ended 'task.split("/")[0] == "all"')" "$(printf '%s\t%s\n' all failed all/1 failed all/2 cancelled all/3 cancelled)"
    assert_equal "$(ended 'task.split("/")[0] == "settled"')" "$(printf '%s\t%s\n' settled failed settled/1 succeeded settled/2 failed settled/3 succeeded)"
    assert_equal "$(ended 'task.split("/")[0] == "any"')" "$(printf '%s\t%s\n' any succeeded any/1 failed any/2 succeeded any/3 cancelled)"
    assert_equal "$(sort items | uniq -c | tr -d ' \n')" 212223
    assert_equal "$(ended 'task in ("group", "each")')" "$(printf '%s\t%s\n' each succeeded group succeeded)"
}

@test "Ctrl-C stops items and the command whose lines they are" {
    mkfifo never
    spec <<'END'
    {"tasks": {
      "list": "echo a; echo b; exec cat <never",
      "e": {"each": {"lines": "list"}, "do": {"sh": "echo >>started; exec sleep 300"}}
    }}
END
    expect_status 130
    start_ajob run -j 4 --events events spec.json
    both_started() { [[ $(wc -l <started 2>/dev/null) == 2 ]]; }
    wait_until 60 both_started
    kill -INT "$AJOB_PID"
    wait_ajob
    assert_failure 130
    assert_equal "$(ended)" "$(printf '%s\tcancelled\n' e e/1 e/2 list)"
}

@test "100,000 items cost what a window of them costs" {
    spec <<'END'
    {"tasks": {"e": {"each": {"from": 1, "to": 100000}, "do": {"group": {"x": {}}}}}}
END
    # A sanitizer reserves more than any limit.
    grep -q __asan_init "$AJOB" || ulimit -v 60000
    run_ajob run -q --events events spec.json
    assert_success
    assert_equal "$(tail -n 1 events | grep -o '"succeeded":[0-9]*')" '"succeeded":100000'
}

@test "without memory for an item it fails: it never has fewer of them" {
    local n
    spec <<'END'
    {"jobs": 1, "tasks": {
      "p": {"exec": ["printf", "1\n2\n"]},
      "list": {"each": ["1", "2"], "do": {"exec": ["touch", "list${item}"]}},
      "range": {"each": {"from": 1, "to": 2}, "do": {"exec": ["touch", "range${item}"]}},
      "lines": {"each": {"lines": "p"}, "do": {"exec": ["touch", "lines${item}"]}}
    }}
END
    for ((n = 40; n <= 200; n++)); do
        rm -f list? range? lines?
        expect_status 125
        AJOB_FAULT=alloc:$n run_ajob run -q spec.json
        ((status)) || assert_equal "$n: $(echo list? range? lines?)" "$n: list1 list2 range1 range2 lines1 lines2"
    done
}

@test "the command that prints the lines and the items may need the same pool" {
    spec <<'END'
    {"pools": {"one": 1}, "tasks": {
      "p": {"sh": "yes | head -n 100000; echo last", "pool": "one"},
      "e": {"each": {"lines": "p"}, "policy": "any",
            "do": {"group": {"deep": {"exec": ["test", "${item}", "=", "y"], "pool": "one"}}}}
    }}
END
    run_ajob run -q --output none spec.json
    assert_success
}

@test "the lines of a service are refused: neither would ever end" {
    spec <<'END'
    {"tasks": {
      "s": {"service": "echo a; sleep 1000"},
      "e": {"each": {"lines": "s"}, "do": "true"}
    }}
END
    run_ajob run spec.json
    assert_failure 2
    assert_stderr --partial 'reads the lines of "s", a service'
}

@test "signals and timeouts are heard among items that take no time" {
    spec <<<'{"tasks": {"e": {"each": {"from": 1, "to": 1000000000000}, "do": {"each": {"from": 1, "to": 1000000000000}, "do": {}}}}}'
    expect_status 124
    run_ajob run -q --timeout 100ms spec.json
    assert_failure 124
    start_ajob run -q --events events spec.json
    wait_until 60 grep -qs run.started events
    expect_status 143
    kill -TERM "$AJOB_PID"
    wait_ajob
    assert_failure 143
}
