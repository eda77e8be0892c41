"""Does statements of Spark SQL that Strata has written, each given by an object, and writes beside it what became of it.

`statement.py <uri>` does the statement of that object, and ends with 1 where it fails. `statement.py` alone does those whose URIs come
on its standard input, a line each, in one session; once the input ends, whoever asked has gone, and the process ends too.

An object is JSON whose `sql` is the one statement. What became of it lies beside it under the name with `.ended`, as JSON: `errors` has
the exception and its causes where it failed, and nothing where it did not. A statement is begun once: `.begun` beside it says that it was.
"""

import json
import os
import queue
import sys
import threading

from pyspark.sql import SparkSession


def main(uris):
    spark = SparkSession.builder.appName("strata").getOrCreate()
    if uris:
        return 0 if all([do(spark, uri) for uri in uris]) else 1
    for uri in lines():
        do(spark, uri)
        print(uri, flush=True)


def do(spark, uri):
    """Does one, and says whether it went well."""
    files, path = file_of(spark, f"{uri}.ended")
    if files.exists(path):
        return not read(spark, f"{uri}.ended")["errors"]
    errors = []
    try:
        files, path = file_of(spark, f"{uri}.begun")
        if not files.createNewFile(path):
            raise RuntimeError("it was begun before, by a session that did not end it")
        spark.sql(read(spark, uri)["sql"])
    except Exception as error:
        errors = errors_of(error)
    write(spark, f"{uri}.ended", {"errors": errors})
    return not errors


def errors_of(error):
    """An exception and what has caused it, the outermost first."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    errors = [] if cause else [{"type": type(error).__name__, "message": str(error)}]
    while cause and len(errors) < 20:
        errors.append({"type": cause.getClass().getName(), "message": cause.getMessage() or ""})
        cause = cause.getCause()
    return errors


def read(spark, uri):
    files, path = file_of(spark, uri)
    stream = files.open(path)
    try:
        return json.loads(bytes(spark._jvm.org.apache.commons.io.IOUtils.toByteArray(stream)))
    finally:
        stream.close()


def write(spark, uri, value):
    files, path = file_of(spark, uri)
    stream = files.create(path, True)
    try:
        stream.write(bytearray(json.dumps(value).encode()))
    finally:
        stream.close()


def file_of(spark, uri):
    path = spark._jvm.org.apache.hadoop.fs.Path(uri)
    files = path.getFileSystem(spark._jsc.hadoopConfiguration())
    # A folder of a laptop would get a file of checksums beside each other file, which nobody removes.
    files.setWriteChecksum(False)
    return files, path


def lines():
    """Lines of the standard input, the first asked for when the session is there, which is told."""
    found = queue.SimpleQueue()

    def follow():
        for line in sys.stdin:
            found.put(line.strip())
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    print("ready", flush=True)
    while True:
        yield found.get()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
