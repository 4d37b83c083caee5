#!/usr/bin/env bash
# A real Slurm cluster of one node, for tests: munged, slurmctld and slurmd of a Debian machine or container.
# It needs root, and neither systemd nor cgroups. Numbers of processors and GPUs are made up: a device file stands
# in for each GPU, so that Slurm schedules them and sets CUDA_VISIBLE_DEVICES.
#
#   tests/slurm/cluster.sh up      install what is missing, configure, start, wait until the node is idle
#   tests/slurm/cluster.sh down    stop what `up` started
#
# SLURM_TEST_CPUS (4) and SLURM_TEST_GPUS (2) size the node.
set -euo pipefail

ETC=/etc/slurm RUN=/run/slurm LOG=/var/log/slurm LIB=/var/lib/slurm
NODE=$(hostname -s)
CPUS=${SLURM_TEST_CPUS:-4}
GPUS=${SLURM_TEST_GPUS:-2}

main() {
  case ${1:-} in
    up) up ;;
    down) down ;;
    *) sed -n '2,9s/^# \?//p' "$0"; exit 2 ;;
  esac
}

up() {
  [ "$(id -u)" = 0 ] || { echo "cluster.sh: needs root" >&2; exit 1; }
  if [ -f $ETC/slurm.conf ] && ! grep -q "ClusterName=repose-test" $ETC/slurm.conf; then
    echo "cluster.sh: this machine belongs to another Slurm cluster ($ETC/slurm.conf)" >&2
    exit 1
  fi
  install_packages
  configure
  start_munge
  running slurmctld || slurmctld
  retry 20 "slurmctld does not answer" controller_is_up
  running slurmd || slurmd
  retry 30 "the node does not become idle" node_is_usable
}

down() {
  local name pid
  for name in slurmd slurmctld munged; do
    if running $name; then
      pid=$(<"$(pid_file $name)")
      kill "$pid"
      while [ -d "/proc/$pid" ]; do sleep 0.1; done
    fi
  done
}

install_packages() {
  local missing=() pair
  for pair in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} = 0 ] && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

configure() {
  local memory gpu
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  install -d -o slurm -g slurm $RUN $LOG $LIB/controller
  install -d $ETC $LIB/node
  getent ahosts "$NODE" >/dev/null || echo "127.0.0.1 $NODE" >>/etc/hosts
  : >$ETC/gres.conf
  for ((gpu = 0; gpu < GPUS; gpu++)); do
    [ -c /dev/testgpu$gpu ] || mknod -m 666 /dev/testgpu$gpu c 1 3
    echo "NodeName=$NODE Name=gpu File=/dev/testgpu$gpu" >>$ETC/gres.conf
  done
  printf 'ConstrainCores=no\nConstrainRAMSpace=no\nConstrainDevices=no\n' >$ETC/cgroup.conf
  cat >$ETC/slurm.conf <<END
ClusterName=repose-test
SlurmctldHost=$NODE(127.0.0.1)
SlurmUser=slurm
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.pid
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd.log
StateSaveLocation=$LIB/controller
SlurmdSpoolDir=$LIB/node
AuthType=auth/munge
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Memory is polled, and a job that takes more than it asked for is killed, as cgroups would.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$LOG/jobcomp.log
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
EnforcePartLimits=ALL
# The tests ask when finished jobs ran.
MinJobAge=7200
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$memory Gres=gpu:$GPUS State=UNKNOWN
PartitionName=main Nodes=$NODE Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
END
}

start_munge() {
  if [ ! -s /etc/munge/munge.key ]; then
    install -d -o munge -g munge -m 700 /etc/munge
    (umask 077 && head -c 1024 /dev/urandom >/etc/munge/munge.key)
    chown munge:munge /etc/munge/munge.key
  fi
  install -d -o munge -g munge /run/munge
  install -d -o munge -g munge -m 700 /var/log/munge /var/lib/munge
  running munged || runuser -u munge -- "$(command -v munged || echo /usr/sbin/munged)"
  retry 5 "munge does not work" munge_works
}

pid_file() { if [ "$1" = munged ]; then echo /run/munge/munged.pid; else echo "$RUN/$1.pid"; fi; }

# Whether a daemon's recorded process lives and is of that name.
running() {
  local file pid
  file=$(pid_file "$1")
  [ -s "$file" ] && pid=$(<"$file") && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ]
}

munge_works() { munge -n | unmunge >/dev/null; }
controller_is_up() { scontrol ping | grep -q "is UP"; }
node_is_usable() { sinfo -h -N -o %t | grep -qE '^(idle|mix|alloc)'; }

# retry SECONDS MESSAGE COMMAND: until the command succeeds
retry() {
  local tenth
  for ((tenth = 0; tenth < $1 * 10; tenth++)); do
    "$3" 2>/dev/null && return
    sleep 0.1
  done
  echo "cluster.sh: $2; see $LOG" >&2
  exit 1
}

main "$@"
