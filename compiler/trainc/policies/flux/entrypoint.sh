#!/bin/bash
# Runs in the trainer's container: starts this node's broker; the first node runs the command.
set -uo pipefail

root=/mnt/flux
view=$root/view
config=$root/config

export PATH=$PATH:$view/bin
mkdir -p /opt/software
cp -R "$root/software/." /opt/software/

python_lib=$(find "$view/lib" -maxdepth 1 -name 'python3*' -type d | sort | head -n 1)
if [ -n "$python_lib" ]; then
  ln -sfn "$python_lib" "$view/lib/python"
  ln -sfn "$python_lib" "$view/lib/python3"
  export PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$python_lib/site-packages
fi
export FLUX_RC_EXTRA=$view/etc/flux/rc1.d

# For a person in the pod: swap the simple scheduler for Fluxion.
cat >"$root/load-fluxion.sh" <<'SH'
#!/bin/bash
flux module remove sched-simple
flux module load sched-fluxion-resource
flux module load sched-fluxion-qmanager
SH
chmod +x "$root/load-fluxion.sh"

# For a person in the pod: source this, then talk to the broker through $fluxsocket.
cat >"$root/flux-view.sh" <<SH
export PATH=$PATH
export PYTHONPATH=${PYTHONPATH:-}
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$view/lib
fluxsocket=local://$config/run/flux/local
SH

install -m 0600 /curve/curve.cert "$config/etc/curve/curve.cert"
chown "$(id -u)" "$config/etc/curve/curve.cert"

mkdir -p "$config/var/lib/flux" "$config/run/flux" "$config/etc/flux/system/cron.d" /tmp/fluxout
flux R encode --hosts="$(cat "$config/etc/flux/system/hostlist")" @RESOURCES@ \
  >"$config/etc/flux/system/R"

options=(
  -Scron.directory="$config/etc/flux/system/cron.d"
  -Stbon.fanout=256
  -Srundir="$config/run/flux"
  -Sstatedir="$config/var/lib/flux"
  -Slocal-uri="local://$config/run/flux/local"
  -Slog-stderr-level=0
  -Slog-stderr-mode=local
)
broker=$config/etc/flux/config

code=0
if [ "$(hostname)" = '@LEAD@' ]; then
  if @HAS_COMMAND@; then
    flux start -o --config "$broker" "${options[@]}" flux run @FLAGS@ @COMMAND@
    code=$?
  else
    flux broker --config-path "$broker" "${options[@]}"
    code=$?
  fi
else
  # The lead's broker may not be up yet, so try until this one has served and left in order.
  until flux start -o --config "$broker" "${options[@]}"; do
    sleep 15
  done
fi

touch "$root/flux-operator-complete.txt"
exit @END@
