"""``python -m monitoring_tasks`` is the command line."""

from monitoring_tasks.cli import main

if __name__ == "__main__":
    main()
