#!/usr/bin/perl -T
# The fast hook client: standard input to the broker's unix socket, its answer to standard output, error and exit code.
#
#   perl -fTC0 askfirst-hook.pl PYTHON -I -S client.py HOST SOCKET WAIT_S NAMES HOST_PID [BROKER...]
#
# The arguments are the command line of the robust client (client.py), word for word. This program answers only what
# the broker answered, whole and well formed. In every other case it becomes client.py, which starts a broker,
# reconnects, or refuses: before standard input is touched when nobody listens, else with what was read as its input.
#
# - Exit codes are 0, 2 and, for an event that gates nothing, 3. Standard output is written once, at the end, or not at all.
# - No module is loaded, not even strict (0.5 ms): perl starts in the time of `bash -c :`. The tests compile it with
#   `-Mstrict -w`.
# - -T ignores PERL5OPT and PERL5LIB, -f a site's start-up file, -C0 PERL_UNICODE: neither code nor text layers get in
#   here by the agent's environment.
# - The alarm is the deadline. It stays set through exec, so that a Python that hangs at start is ended too.

my $max_bytes = 16 * 1024 * 1024;    # of the payload and of an answer; client.py has the same number
my $reserve_s = 5;    # what the broker's answer at its own deadline may take to reach us; client.py has it too
my @python = map { /\A(.*)\z/s } @ARGV;    # untainted: the person's installed command line
my ($host, $path, $wait_s, $names, $host_pid) = @python[4 .. 8];
my $parent = getppid;

$SIG{ALRM} = sub { refuse("nobody decided within $wait_s s and the gate did not answer; try again later") };
$SIG{$_} = sub { refuse('stopped before the gate answered') } for qw(HUP INT TERM);
$SIG{PIPE} = 'IGNORE';
alarm $wait_s;

my $broker  = connected() or become_python();
my $attempt = random();
my $payload = payload();
my $answer  = ask($broker, $payload);
my ($code, $out, $err) = parts($answer) or become_python($payload);
written(*STDERR, $err) && written(*STDOUT, $out) or refuse('the answer could not be written');
exit $code;

sub refuse {
    my ($why) = @_;
    alarm 0;
    syswrite STDERR, "askfirst: this call is blocked: $why\n";
    exit 2;
}

# From unix(7) and macOS's sys/un.h: the BSDs put a length byte before a one-byte family, with 104 bytes of path.
sub connected {
    my $is_linux = $^O eq 'linux';
    return if length $path > ($is_linux ? 107 : 103);
    my $address = $is_linux ? pack('S a108', 1, $path) : pack('C C a104', 106, 1, $path);
    socket(my $socket, 1, 1, 0) or return;    # AF_UNIX and SOCK_STREAM are 1 on both
    fileno $socket > 2 or refuse('standard input, output or error is closed');    # it took the place of one
    return connect($socket, $address) ? $socket : undef;
}

# 32 hex digits that nobody else has. The grant of an approval is for one attempt; a reconnect is the same attempt.
sub random {
    open my $source, '<', '/dev/urandom' or refuse('no random numbers');
    sysread($source, my $bytes, 16) == 16 or refuse('no random numbers');
    return unpack('H32', $bytes) =~ /([0-9a-f]+)/ ? $1 : '';    # the match takes the taint away
}

sub payload {
    my $bytes = '';
    while (my $n = more(*STDIN, \$bytes)) { }
    refuse('its payload is empty') if !length $bytes;
    refuse('its payload is larger than ' . $max_bytes . ' bytes') if length $bytes > $max_bytes;
    return $bytes;
}

# Appends what can be read now; 0 at the end of the input or above the bound.
sub more {
    my ($handle, $bytes) = @_;
    return 0 if length $$bytes > $max_bytes;
    my $n = sysread $handle, $$bytes, 65536, length $$bytes;
    return $n if defined $n;
    return 1 if $! == 4;    # EINTR
    refuse('its payload could not be read') if fileno $handle == 0;
    return 0;
}

sub written {
    my ($handle, $bytes) = @_;
    my $done = 0;
    while ($done < length $bytes) {
        my $n = syswrite $handle, $bytes, 65536, $done;
        defined $n or $! == 4 or return 0;
        $done += $n || 0;
    }
    return 1;
}

# The response, as far as it came.
sub ask {
    my ($socket, $body) = @_;
    my $broker_s = $wait_s > $reserve_s ? $wait_s - $reserve_s : 0;
    my $environ = join '&', map { "$_=" . quoted($ENV{$_}) } grep { defined $ENV{$_} } split /,/, $names;
    my $head = "POST /v1/hook/$host HTTP/1.1\r\nHost: askfirst\r\nContent-Type: application/octet-stream\r\n"
        . 'Content-Length: ' . length($body) . "\r\nConnection: close\r\n"
        . "X-Askfirst-Attempt: $attempt\r\nX-Askfirst-Wait-S: $broker_s\r\nX-Askfirst-Environ: $environ\r\n\r\n";
    my $response = '';
    written($socket, $head . $body) or return $response;
    while (1) {
        vec(my $ready = '', fileno $socket, 1) = 1;
        my $n = select $ready, undef, undef, 2;
        last if $n > 0 && !more($socket, \$response);
        refuse('the host is gone') if $n == 0 && (getppid != $parent || !kill(0, $host_pid) && $! == 3);    # ESRCH
    }
    return $response;
}

sub quoted {
    my $text = substr $_[0], 0, 1024;
    $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

# Exit code, standard output and standard error of a complete answer, else nothing.
sub parts {
    my ($head, $body) = split /\r\n\r\n/, $_[0], 2;
    defined $body
        and $head =~ m{\AHTTP/1\.1 200[ \r]}
        and $head =~ m{\r\ncontent-type:[ \t]*application/x-askfirst-hook[ \t]*(?:\r|\z)}i
        and $body =~ m{\Aaskfirst-hook/1 ([023]) (\d{1,8}) (\d{1,8})\n}
        or return;
    my ($exit, $out_bytes, $err_bytes, $start) = ($1, $2, $3, $+[0]);
    return if length($body) != $start + $out_bytes + $err_bytes;
    return if $exit && ($out_bytes || !$err_bytes);    # some hosts run the command on a silent exit 2
    return ($exit, substr($body, $start, $out_bytes), substr($body, $start + $out_bytes));
}

# Replaces this process with client.py; its standard input is ours, untouched, or the payload that we have read.
sub become_python {
    my ($bytes) = @_;
    $python[6] = alarm 0;    # what is left of it, whatever the clock has done
    alarm $python[6];
    feed($bytes), $python[8] = "$host_pid:$attempt" if defined $bytes;
    $ENV{ASKFIRST_PATH} = $ENV{PATH};    # -T lets nothing run with a PATH from outside; client.py puts it back
    $ENV{PATH} = '/usr/bin:/bin';
    delete @ENV{qw(IFS CDPATH ENV BASH_ENV TERM)};
    { exec { $python[0] } @python }
    refuse("$python[0] could not be started; run `askfirst serve` in a terminal to see why");
}

# Makes standard input a pipe that a child fills: no temporary file, so a full disk does not matter.
sub feed {
    my ($bytes) = @_;
    pipe my $read, my $write or refuse('no pipe for its payload');
    my $child = fork;
    defined $child or refuse('no process for its payload');
    if (!$child) {
        close $_ for *STDIN, *STDOUT, *STDERR, $read, $broker;    # the host waits until nobody holds its pipes
        $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
        written($write, $bytes);
        exit 0;
    }
    close $write;
    open STDIN, '<&', $read or refuse('its payload could not be handed on');
}
