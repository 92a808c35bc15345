"""Sends the samples of a file through a ZMQ sink of GNU Radio, at a million a second.

gnu_radio_sink.py pub_sink|push_sink PORT FILE.cf32: the socket is there at once; samples go when a line
comes on standard input, and the socket stays until it ends.
"""

import sys

from gnuradio import blocks, gr, zeromq

sink, port, path = sys.argv[1:]
graph = gr.top_block()
source = blocks.file_source(gr.sizeof_gr_complex, path, False)
throttle = blocks.throttle(gr.sizeof_gr_complex, 1e6)
socket = getattr(zeromq, sink)(gr.sizeof_gr_complex, 1, f"tcp://127.0.0.1:{port}")
graph.connect(source, throttle, socket)
sys.stdin.readline()
graph.start()
sys.stdin.read()
graph.stop()
