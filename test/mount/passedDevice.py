# Mounts a device as the caller of a filesystem does, and becomes the program that serves it. passedDevice.py MOUNTPOINT PROGRAM...
import ctypes
import os
import sys

mountpoint, program = sys.argv[1], sys.argv[2:]
device = os.open("/dev/fuse", os.O_RDWR)
data = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
MS_NOSUID, MS_NODEV = 2, 4
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"passed", mountpoint.encode(), b"fuse.bickford", MS_NOSUID | MS_NODEV, data.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.dup2(device, 9)
os.set_inheritable(9, True)
os.close(device)
os.execvp(program[0], program)
