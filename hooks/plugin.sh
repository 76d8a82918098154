# Sourced by the hooks of the Claude Code plugin (hooks.json): runs the line that `askfirst hook command` prints.
#
# The line knows the interpreter and the socket of the installed askfirst, which a plugin cannot know. It is made at the
# first call, in the plugin's own data folder, and exits with 0 or 2. Coming back from here means that there is none;
# hooks.json then blocks, or for events that let nothing run ($askfirst_notice) does nothing. $CLAUDE_PLUGIN_DATA is set
# by the host.

askfirst_line="${CLAUDE_PLUGIN_DATA:-$HOME/.cache/askfirst}/hook$askfirst_notice.sh"
if [ ! -s "$askfirst_line" ]; then
    (
        umask 077
        mkdir -p "${askfirst_line%/*}" &&
            askfirst hook command claude-code $askfirst_notice >"$askfirst_line.$$" </dev/null &&
            mv -f "$askfirst_line.$$" "$askfirst_line" ||
            rm -f "$askfirst_line.$$"
    )
fi
[ -s "$askfirst_line" ] && . "$askfirst_line"
