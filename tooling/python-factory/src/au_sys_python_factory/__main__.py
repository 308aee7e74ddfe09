"""Makes ``python -m au_sys_python_factory`` work."""

from au_sys_python_factory.cli import main

if __name__ == "__main__":
    main()
