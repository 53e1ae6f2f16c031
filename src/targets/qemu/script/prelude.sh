# ---------------------------------------------------------------------------------------------------------------------
# How QEMU is started, asked and ended. What the case does comes below.
# ---------------------------------------------------------------------------------------------------------------------

QEMU=${1:-${QEMU:-qemu-system-x86_64}}
LIMIT=${LIMIT:-$limit}

folder='' keeper='' timer='' at='' answer='' value='' number=0 verdict=''

say() {
  printf '%s\n' "$*"
}

# trouble TEXT: nothing can be said of the deviation.
trouble() {
  say "TROUBLE: $1"
  if [ -s "$folder/stderr" ]; then
    say "What QEMU said last:"
    tail -n 5 "$folder/stderr" | sed 's/^/    /'
  fi
  exit 2
}

# At the end, however it comes: QEMU is killed by its own process id and the temporary folder removed.
finish() {
  trap '' INT TERM HUP
  for each in $timer $keeper; do kill "$each" 2>/dev/null; done
  wait
  [ -z "$folder" ] || rm -rf "$folder"
}

# keep COMMAND...: runs QEMU. When it ends, "ENDED status" takes the place of the next answer.
keep() {
  trap 'kill -KILL "$!"; wait "$!"; exit' TERM
  ulimit -c 0
  "$@" 3<&- 4<&- </dev/null >/dev/null 2>"$folder/stderr" &
  wait "$!"
  echo "ENDED $?" >&4
}

# watch: after $LIMIT seconds, "SILENT" takes the place of the next answer, and QEMU is ended whatever became of this script.
watch() {
  trap 'kill "$!"; exit' TERM
  sleep "$LIMIT" &
  wait "$!"
  echo "SILENT" >&4
  kill "$keeper"
  kill -0 "$$" || rm -rf "$folder"
}

start() {
  for tool in awk cat dd grep mkfifo mktemp rm sed sleep tail tr wc; do
    command -v "$tool" >/dev/null || trouble "$tool is needed and is not in PATH"
  done
  [ "$((1 << 40))" = 1099511627776 ] || trouble "a shell that counts in 64 bits is needed"
  command -v "$QEMU" >/dev/null || trouble "$QEMU was not found: name a qemu-system-x86_64 as first argument or in QEMU"
  trap finish EXIT
  trap 'exit 2' INT TERM HUP
  folder=$(mktemp -d) || trouble "no temporary folder can be made"
  version=$("$QEMU" --version 2>/dev/null | sed -n 1p)
  case $version in
    QEMU*) ;;
    *) trouble "$QEMU is not QEMU" ;;
  esac

  # The accelerator "qtest" runs no processor, and its clock is moved by "clock_step". Where a build lacks it, a processor
  # that executes nothing but HLT rests, and the clock jumps from timer to timer.
  if "$QEMU" -accel help 2>/dev/null | grep -q '^ *qtest *$'; then clock=qtest; else clock=tcg; fi
  dd if=/dev/zero bs=65536 count=1 2>/dev/null | LC_ALL=C tr '\000' '\364' >"$folder/firmware"
  say "$version, accelerator $clock"

  # Opened for both directions, so that nothing waits for the other side.
  mkfifo "$folder/qtest.in" "$folder/qtest.out" || trouble "no named pipes can be made in $folder"
  exec 3<>"$folder/qtest.in" 4<>"$folder/qtest.out"
  machine
  watch >/dev/null 2>&1 &
  timer=$!
}

# tell LINE...: sends a line of the qtest protocol.
tell() {
  printf '%s\n' "$*" >&3
}

# hear: awaits one answer; $answer is what follows "OK".
hear() {
  IFS= read -r answer <&4
  case $answer in
    OK*) answer=${answer#OK} answer=${answer# } ;;
    ENDED*) ended "${answer#ENDED }" ;;
    SILENT) silent ;;
    *) trouble "QEMU answers \"$answer\"" ;;
  esac
}

ask() {
  tell "$@"
  hear
}

ended() {
  how="exit status $1"
  [ "$1" -le 128 ] || how="signal $(($1 - 128))"
  said=$(grep -iE 'assert|hardware error|bail out|fatal|terminate called|error:' "$folder/stderr" | tail -n 1)
  if [ -z "$at" ]; then trouble "QEMU ended at start ($how)"; fi
  say "    #$at: observed: QEMU ended ($how)${said:+: $said}"
  [ "$finding_is" = ending ] || trouble "QEMU ended ($how) at #$at, which this case does not expect"
  observed="QEMU ended ($how)${said:+: $said}"
  verdict=deviates
  conclude
}

silent() {
  [ "$finding_is" = silence ] && [ -n "$at" ] || trouble "QEMU did not get done within $LIMIT seconds${at:+ (at #$at)}"
  say "    #$at: observed: no answer within $LIMIT seconds"
  observed="no answer within $LIMIT seconds"
  verdict=deviates
  conclude
}

# ---- Numbers: 64 bits, unsigned, as "0x..." without leading zeros; the shell itself counts signed ----

# short HEX: $value is the number without leading zeros.
short() {
  value=${1#0x}
  while :; do
    case $value in
      0?*) value=${value#0} ;;
      *) break ;;
    esac
  done
  value=0x$value
}

# count HEX: $number is the number as the shell counts, of 64 bits; by halves, for a shell cuts what it takes as too large.
count() {
  padded=0000000000000000${1#0x}
  low=${padded#"${padded%????????}"}
  padded=${padded%????????}
  number=$(((0x${padded#"${padded%????????}"} << 32) | 0x$low))
}

# part HEX HIGH LOW: $number is bits HIGH to LOW of a value.
part() {
  count "$1"
  [ "$2" -eq 63 ] && [ "$3" -eq 0 ] || number=$(((number >> $3) & ((1 << ($2 - $3 + 1)) - 1)))
}

# fits HEX MASK WANTED: whether (value & mask) = wanted.
fits() {
  count "$1" && is=$number
  count "$2" && mask=$number
  count "$3"
  [ "$((is & mask))" -eq "$number" ]
}

# ---- What is observed ----

# op NUMBER TEXT: begins an operation.
op() {
  at=$1
  say "#$1 $2"
}

# value LINE...: reads; $value is what comes.
value() {
  ask "$@"
  short "$answer"
}

# see WHAT EXPECTED: shows $value beside what was recorded, which the specification admits.
see() {
  differs=''
  [ "$value" = "$2" ] || differs='    <== differs'
  say "    #$at $1: expected $2, observed $value$differs"
}

# weigh WHAT EXPECTED RECORDED [MASK WANTED]...: whether $value is the recorded deviation, or fits what is admitted.
weigh() {
  weighed=$1 wanted=$2 recorded=$3
  shift 3
  verdict=other
  if [ "$value" = "$recorded" ]; then verdict=deviates; fi
  while [ "$verdict" = other ] && [ "$#" -gt 0 ]; do
    if fits "$value" "$1" "$2"; then verdict=expected; fi
    shift 2
  done
  say "    #$at $weighed: expected $wanted, observed $value    <== $verdict"
}

# weigh_data WHAT EXPECTED RECORDED [ADMITTED]...: the same for bytes.
weigh_data() {
  weighed=$1 wanted=$2 recorded=$3
  shift 3
  verdict=other
  if [ "$value" = "$recorded" ]; then verdict=deviates; fi
  for admitted in "$@"; do
    if [ "$verdict" = other ] && [ "$value" = "$admitted" ]; then verdict=expected; fi
  done
  say "    #$at $weighed: expected $wanted, observed $value    <== $verdict"
}

# weigh_words <TABLE: the same for words of memory; a line of the table is "address recorded admitted".
weigh_words() {
  deviating=0 fine=0 words=0
  while read -r address recorded admitted; do
    value readq "$address"
    words=$((words + 1))
    [ "$value" != "$recorded" ] || deviating=$((deviating + 1))
    [ "$value" != "$admitted" ] || fine=$((fine + 1))
    say "    #$at memory at $address: expected $admitted, observed $value"
  done
  verdict=other
  if [ "$fine" -eq "$words" ]; then verdict=expected; fi
  if [ "$deviating" -eq "$words" ]; then verdict=deviates; fi
}

# conclude: the last line, and the exit code.
conclude() {
  case $verdict in
    deviates)
      say "DEVIATES: $finding: expected $expected; observed $observed"
      exit 1
      ;;
    expected)
      say "AS EXPECTED: $finding does not appear: $expected"
      exit 0
      ;;
  esac
  say "UNDECIDED: $finding: what was observed is neither what was recorded nor what is known to be admitted"
  exit 2
}

# ---- Memory and devices ----

# store ADDRESS WORD...: 64-bit words, one behind the other.
store() {
  place=$(($1))
  shift
  for word in "$@"; do
    ask writeq "$place" "$word"
    place=$((place + 8))
  done
}

# paint ADDRESS BYTES: fills memory with words that name their own address: a5h, address bits 47:3, 5ah.
paint() {
  awk -v first="$(($1))" -v bytes="$2" 'BEGIN {
    for (i = 0; i < 256; i++) hex[i] = sprintf("%02x", i)
    for (at = first; at < first + bytes; at += size) {
      size = first + bytes - at
      if (size > 4096) size = 4096
      printf "write %d %d 0x", at, size
      for (word = at; word < at + size; word += 8) {
        number = word / 8
        text = "5a"
        for (i = 0; i < 6; i++) { text = text hex[number % 256]; number = int(number / 256) }
        printf "%sa5", text
      }
      print ""
    }
  }' >"$folder/lines"
  cat "$folder/lines" >&3
  lines=$(wc -l <"$folder/lines")
  while [ "$lines" -gt 0 ]; do
    hear
    lines=$((lines - 1))
  done
}

# dma BAR SOURCE DESTINATION BYTES COMMAND: has an edu device execute a request and awaits its end. Its buffer is at 0x40000;
# command 1 reads memory, 3 writes it.
dma() {
  ask writeq "$(($1 + 0x80))" "$2"
  ask writeq "$(($1 + 0x88))" "$3"
  ask writeq "$(($1 + 0x90))" "$4"
  ask writeq "$(($1 + 0x98))" "$5"
  while :; do
    [ "$clock" = tcg ] || ask clock_step 100000000
    value readl "$(($1 + 0x98))"
    case $value in *[13579bdf]) ;; *) break ;; esac
  done
}

# fill DEVICE BAR SOURCE DESTINATION BYTES 1: writes 32 tokens of the device to memory at SOURCE, ee behind them, and has
# the device read all. A token is 16 times "40h + piece, 0, token, d0h + device".
fill() {
  awk -v device="$1" -v place="$3" -v bytes="$(($5))" 'BEGIN {
    printf "write %s %d 0x", place, bytes
    for (i = 0; i < bytes; i++) {
      if (i >= 2048) printf "ee"
      else if (i % 4 == 0) printf "%02x", 64 + i % 64 / 4
      else if (i % 4 == 1) printf "00"
      else if (i % 4 == 2) printf "%02x", int(i / 64)
      else printf "%02x", 208 + device
    }
    print ""
  }' >"$folder/lines"
  cat "$folder/lines" >&3
  hear
  shift
  dma "$@"
  ask memset "$2" "$4" 0x0
}

# fetch BAR SOURCE DESTINATION BYTES 3: has the device write what it received to memory; $value is that.
fetch() {
  dma "$@"
  ask read "$3" "$4"
  value=$answer
}

# refer HEX HIGH LOW SCALE PLUS: $number is bits HIGH to LOW of a value, times SCALE, plus PLUS.
refer() {
  part "$1" "$2" "$3"
  referred=$((number * $4))
  count "$5"
  number=$((referred + number))
}

# which: checks $number as the index of a register.
which() {
  [ "$number" -ge 0 ] && [ "$number" -le 255 ] || trouble "#$at refers to a register that there is not"
}

# poll LINE MASK WANTED LIMIT: reads until (value & mask) = wanted, at most so many times.
poll() {
  left=$4
  while [ "$left" -gt 0 ]; do
    # shellcheck disable=SC2086 # a line of two words
    value $1
    fits "$value" "$2" "$3" && break
    left=$((left - 1))
  done
}

# reboot: resets the machine. Memory and the devices' buffers stay; bus numbers, windows and registers' places are lost.
reboot() {
  ask outb 0xcf9 0x6
  while :; do
    value readl "$edu_identity_at"
    [ "$value" = "$edu_identity" ] || break
  done
  set_up_pci
}
