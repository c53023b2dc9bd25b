#!/bin/bash
# Runs in the Flux view image, once for each pod: lays Flux and its configuration under /mnt/flux.
# It may run again after a restart, so every file is written anew, none is appended to.
set -euo pipefail

export PATH=/opt/view/bin:$PATH
root=/mnt/flux
config=$root/config

mkdir -p "$config/etc/flux/system/cron.d" "$config/etc/flux/config" \
  "$config/var/lib/flux" "$config/run/flux" "$config/etc/curve"

printf '%s\n' '@HOSTS@' >"$config/etc/flux/system/hostlist"

cat >"$config/etc/flux/config/broker.toml" <<'TOML'
[access]
allow-guest-user = true
allow-root-owner = true

[resource]
path = "/mnt/flux/config/etc/flux/system/R"

[bootstrap]
curve_cert = "/mnt/flux/config/etc/curve/curve.cert"
default_port = 8050
default_bind = "tcp://@DEVICE@:%p"
default_connect = "tcp://%h.@CONNECT@:%p"
hosts = [
  { host = "@HOSTS@" },
]

[archive]
dbpath = "/mnt/flux/config/var/lib/flux/job-archive.sqlite"
period = "1m"
busytimeout = "50s"

[sched-fluxion-qmanager]
queue-policy = "@QUEUE@"
TOML

views=(/opt/views/._view/*)
if [ "${#views[@]}" -ne 1 ] || [ ! -d "${views[0]}" ]; then
  echo "flux-installer: want one view under /opt/views/._view, found ${#views[@]}" >&2
  exit 1
fi
mkdir -p "$root/view" "$root/software"
cp -R "${views[0]}/." "$root/view/"
cp -R /opt/software/. "$root/software/"

touch "$root/flux-operator-done.txt"
