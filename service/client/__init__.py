"""Use the service from Python.

```
from service.client import Client

with Client("http://127.0.0.1:8000") as client:
    job = client.wait(client.submit("job.yaml").id)
    client.download(job.dataset, "my-dataset")
```

`AsyncClient` has the same methods as coroutines.
"""

from service.client.asynchronous import AsyncClient
from service.client.errors import ServiceError
from service.client.events import Event
from service.client.synchronous import Client
from service.client.transfer import Transfer

__all__ = ["AsyncClient", "Client", "Event", "ServiceError", "Transfer"]
