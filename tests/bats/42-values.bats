# ${...} in a spec: what becomes of it, and that nothing in it becomes code.

load ../helpers

setup() { common_setup; }
teardown() { common_teardown; }

spec() { cat >"${1:-spec.json}"; }

cause_of() { events events "event == 'task.ended' and task == '$1'" cause; }

# A program that writes its arguments, each after its length, to a file.
write_show() {
    cat >show <<'END'
#!/bin/sh
out=$1; shift
for argument; do printf '%d:%s\n' ${#argument} "$argument"; done >"$out"
END
    chmod +x show
}

@test "each value is one argument, whatever is in it" {
    write_show
    spec <<'END'
    {"tasks": {
      "spaces": {"exec": ["printf", " a  b\t\n"]},
      "quotes": {"exec": ["printf", "%s", "\"'`$(touch code)\\ ; touch code & * ? \u001b[31m"]},
      "dash": {"exec": ["printf", "%s", "-rf"]},
      "lines": {"exec": ["printf", "1\n2\n\n"]},
      "reference": {"exec": ["printf", "%s", "$${item} $${env.HOME} $$$$ $"]},
      "empty": {"exec": ["true"]},
      "use": {"exec": ["./show", "out", "${spaces.stdout}", "${quotes.stdout}", "${dash.stdout}",
                       "x${lines.stdout}x${dash.stdout}", "${reference.stdout}", "${empty.stdout}"]}
    }}
END
    run_ajob run spec.json
    assert_success
    local quotes="\"'\`\$(touch code)\\ ; touch code & * ? "$'\e[31m'
    assert_equal "$(<out)" "$(printf '%s\n' $'6: a  b\t' "${#quotes}:$quotes" '3:-rf' \
        $'9:x1\n2\nx-rf' "24:\${item} \${env.HOME} \$\$ \$" '0:')"
    refute_exists code
}

@test "bytes that are no UTF-8 pass through" {
    spec <<'END'
    {"tasks": {
      "bytes": {"exec": ["printf", "\\377\\300\\200x"]},
      "use": {"exec": ["printf", "%s", "${bytes.stdout}"], "env": {"V": "${bytes.stdout}"}},
      "env": {"sh": "printf %s \"$V\" >env", "env": {"V": "${use.stdout}"}}
    }}
END
    run_ajob run spec.json
    assert_success
    assert_equal "$(od -An -tx1 env | tr -d ' \n')" ffc08078
}

@test "in scripts nothing is replaced; their environment has the values" {
    spec <<'END'
    {"tasks": {
      "code": {"exec": ["printf", "%s", "'; touch code; '$(touch code)"]},
      "sh": {"sh": ["code=ok", "echo ${code} $$ \"$V\" >sh"], "env": {"V": "${code.stdout}"}},
      "each": {"each": ["$(touch code)"], "do": {"sh": "echo \"$I\" >each", "env": {"I": "${item}"}}}
    }}
END
    run_ajob run spec.json
    assert_success
    refute_exists code
    [[ $(<sh) =~ ^ok\ [0-9]+\ \'\;\ touch\ code\;\ \'\$\(touch\ code\)$ ]] || fail "$(<sh)"
    assert_equal "$(<each)" "\$(touch code)"
}

@test "exit codes, paths, variables and the environment" {
    start_server
    write_show
    spec <<END
    {"policy": "settled", "tasks": {
      "path": {"exec": ["echo", "deep"]},
      "three": {"sh": "exit 3", "allow_failure": true},
      "killed": {"sh": "kill -9 \$\$", "allow_failure": true},
      "skipped": {"sh": "true", "needs": ["fails"]},
      "fails": "exit 1",
      "src": {"get": "$MAIN/f/\${var.name}?size=3", "dir": "\${path.stdout}"},
      "use": {"exec": ["./show", "out", "\${three.exit}", "\${killed.exit}", "\${src.path}", "\${env.SET}", "\${var.name}"],
              "needs": ["src"]},
      "always": {"exec": ["./show", "always", "\${fails.exit}", "\${skipped.exit}", "\${skipped.stdout}"],
                 "needs": ["fails", "skipped"], "when": "always"},
      "group": {"env": {"LATE": "x\${path.stdout}"}, "dir": "\${path.stdout}",
                "group": {"inherited": {"sh": "echo \$LATE >inherited", "needs": ["there"]}, "there": {"sh": "true", "dir": ".."}},
                "needs": ["src"]}
    }}
END
    SET=set run_ajob run --set name=value --events events spec.json
    assert_failure 1
    assert_equal "$(<out)" $'1:3\n3:137\n10:deep/value\n3:set\n5:value'
    assert_equal "$(<always)" $'1:1\n0:\n0:'
    assert_equal "$(<deep/inherited)" xdeep
}

@test "a value that cannot be had fails the task that uses it, and says why" {
    spec <<'END'
    {"policy": "settled", "tasks": {
      "nul": {"exec": ["printf", "a\\000b"]},
      "long": {"sh": "head -c 131074 /dev/zero | tr '\\0' x"},
      "most": {"sh": "head -c 131071 /dev/zero | tr '\\0' x; echo"},
      "use-nul": {"exec": ["true", "${nul.stdout}"]},
      "use-long": {"exec": ["true", "${long.stdout}"]},
      "use-most": {"exec": ["true", "${most.stdout}"]},
      "too-many": {"exec": ["true", "${most.stdout}${most.stdout}"]},
      "retried": {"exec": ["true", "${nul.stdout}"], "retry": {"max": 2, "delay": "1ms"}}
    }}
END
    run_ajob run --events events spec.json
    assert_failure 1
    assert_equal "$(cause_of use-nul)" "\${nul.stdout}: it printed a NUL byte, which cannot be in an argument"
    assert_equal "$(cause_of use-long)" "\${long.stdout}: it printed more than 128 KiB, which is too long for an argument: read it as stdin instead"
    assert_equal "$(cause_of use-most)" None
    assert_equal "$(cause_of too-many)" "with its values it is longer than 128 KiB"
    assert_equal "$(events events 'event == "task.ended" and task == "retried"' attempts)" 1
}

@test "a variable that is not set starts nothing, wherever it stands" {
    local task
    for task in '{"exec": ["true", "${env.UNSET}"]}' '{"sh": "true", "env": {"V": "${env.UNSET}"}}' \
        '{"get": "http://127.0.0.1:1/${env.UNSET}"}' '{"group": {"x": "true"}, "env": {"V": "${env.UNSET}"}}' \
        '{"each": ["a"], "do": {"group": {"x": {"exec": ["true", "${item}${env.UNSET}"]}}}}' \
        '{"each": ["${env.UNSET}"], "do": "true"}' '{"exec": ["true", "${first.stdout}${env.UNSET}"]}'; do
        spec <<<'{"tasks": {"first": "touch first", "second": '"$task"'}}'
        run_ajob run spec.json
        assert_failure 2
        assert_stderr --partial "UNSET"
        refute_exists first
    done
    spec <<<'{"tasks": {"first": "touch first", "second": {"exec": ["true", "${var.unset}"]}}}'
    run_ajob run spec.json
    assert_failure 2
    assert_stderr --partial "unset"
    refute_exists first
}

@test "a URL, a file and a digest that come from a task" {
    start_server
    spec <<END
    {"tasks": {
      "where": {"exec": ["printf", "$MAIN/f/file?size=5&seed=2"]},
      "digest": {"exec": ["printf", "%s", "$(body_sha256 2 5)"]},
      "get": {"get": "\${where.stdout}", "to": "\${digest.stdout}.bin", "sha256": "\${digest.stdout}"},
      "bad": {"get": "\${digest.stdout}", "allow_failure": true},
      "fails": {"get": "\${where.stdout}&status=503&times=1", "to": "retried", "retry": {"max": 2, "delay": "1ms"}},
      "use": {"exec": ["cat", "\${get.path}", "\${fails.path}"]}
    }}
END
    run_ajob run --events events spec.json
    assert_success
    assert_body "$(body_sha256 2 5).bin" 2 5
    assert_equal "$(events events 'event == "task.ended" and task == "get"' verified url)" $'True\t'"$MAIN/f/file"
    assert_equal "$(cause_of bad)" "$(body_sha256 2 5): not a URL: it begins with https:// or http://"
    assert_requests 3
}

@test "so many transfers to one host, when the host is known late" {
    start_server
    spec <<END
    {"tasks": {
      "base": {"exec": ["printf", "%s", "$MAIN"]},
      "many": {"each": {"from": 1, "to": 12}, "do": {"get": "\${base.stdout}/f/\${item}?size=1K&slow=20K"}}
    }}
END
    run_ajob run spec.json
    assert_success
    assert_requests 12
}
